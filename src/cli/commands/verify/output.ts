import type { Finding, InvariantReport } from '../../../audit/audit-report.js';
import { visible } from '../../../domain/text.js';
import type { Output } from '../../terminal/command-output.js';

/** The plural noun for the things that an invariant is about. */
const COUNTED: Readonly<Record<InvariantReport['name'], string>> = {
  removed_has_row: 'records',
  row_has_removal: 'games',
  removed_is_gone: 'containers',
  container_has_record: 'containers',
  engine_is_same: 'engines',
  lease_has_end: 'leases',
  active_has_worker: 'jobs',
  dead_letter_has_reason: 'dead letters',
};

export function showInvariant({ line, colours }: Output, report: InvariantReport): void {
  const { name, promise, status, checked, broken, warnings, reason, notes } = report;
  const colour = { holds: colours.green, broken: colours.red, unknown: colours.yellow }[status];
  const counts = [
    `${checked} ${COUNTED[name]}`,
    broken > 0 ? `${broken} broken` : '',
    warnings > 0 ? `${warnings} warnings` : '',
  ];
  line(`${colour(status.padEnd(7))}  ${name}: ${promise} (${counts.filter((part) => part !== '').join(', ')})`);
  if (reason !== null) line(`         could not be checked completely: ${visible(reason)}`);
  for (const note of notes) line(`         ${visible(note)}`);
}

export function showFindings(output: Output, reports: readonly InvariantReport[]): void {
  const found = reports.flatMap(({ name, findings }) => findings.map((finding) => ({ name, ...finding })));
  if (found.length === 0) return;
  output.line('');
  output.table(
    ['INVARIANT', 'SEVERITY', 'GAME', 'JOB', 'CONTAINER', 'WHAT'],
    found.map(({ name, severity, gameId, jobId, containerId, what }) => [
      name,
      severity,
      gameId ?? '',
      jobId ?? '',
      containerId?.slice(0, 12) ?? '',
      what,
    ]),
  );
  for (const { name, broken, warnings, findings } of reports) {
    const more = broken + warnings - findings.length;
    if (more > 0) output.note(`${name}: ${more} more are not shown.`);
  }
  showAdvice(output, found);
}

/** Each piece of advice once, however many findings have it. */
function showAdvice({ line }: Output, found: readonly (Finding & { readonly name: string })[]): void {
  line('');
  line('What to do:');
  for (const advice of new Set(found.map((finding) => `${finding.name}: ${finding.advice}`)))
    line(`  ${visible(advice)}`);
}

interface Verdict {
  readonly reports: readonly InvariantReport[];
  /** The command will exit with 0. */
  readonly ok: boolean;
}

export function showVerdict({ line, note }: Output, { reports, ok }: Verdict): void {
  const broken = reports.filter(({ status }) => status === 'broken').length;
  const unknown = reports.filter(({ status }) => status === 'unknown').length;
  const warnings = reports.reduce((sum, report) => sum + report.warnings, 0);
  line('');
  if (broken + unknown === 0) {
    line(warnings === 0 ? 'All invariants hold.' : `All invariants hold, with ${warnings} warnings.`);
    if (!ok) note('runtime-cleanup: with --strict, warnings are failures');
    return;
  }
  line(`${broken} of ${reports.length} invariants are broken, ${unknown} unknown.`);
  if (unknown > 0) note('`runtime-cleanup doctor` checks every dependency and says how to repair it.');
}
