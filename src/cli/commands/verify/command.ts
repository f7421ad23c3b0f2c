import { Option, type Command } from 'commander';
import type { InvariantReport } from '../../../audit/audit-report.js';
import { gameIdOf } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { followProgress } from '../../terminal/progress.js';
import { showFindings, showInvariant, showVerdict } from './output.js';

interface VerifyOptions extends CommandOptions {
  readonly game?: string;
  readonly strict?: boolean;
}

export function addVerifyCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'verify',
    summary: 'Checks that records, log, containers, leases and jobs agree; changes nothing',
    details:
      'Reads stores and engine as they are, beside running workers too. An invariant holds, is broken, or is unknown because something could not be asked. ' +
      'A warning is what another service may do under the contract, or what an outage may leave. ' +
      'Exits with 1 when an invariant is broken or unknown.',
    examples: [
      ['runtime-cleanup verify', 'check everything, and say what to do about what is broken'],
      [
        'runtime-cleanup verify --game game-7',
        'only the record, the rows and the container of one game; all jobs and leases',
      ],
      ['runtime-cleanup verify --strict', 'for a platform where nobody else removes: warnings fail too'],
      [
        'runtime-cleanup verify --json',
        'prints { "ok", "invariants": [{ name, status, checked, broken, warnings, reason, findings, ... }] }',
      ],
    ],
    settings: [
      ...DATABASE_SETTINGS,
      ...QUEUE_SETTINGS,
      'RTMANAGER_LEASE_STORE',
      'DOCKER_HOST',
      'DOCKER_TLS_VERIFY',
      'DOCKER_CERT_PATH',
      'RTMANAGER_DOCKER_TIMEOUT',
    ],
  })
    .addOption(new Option('--game <game-id>', 'records, rows and containers of this game only'))
    .option('--strict', 'exit with 1 for warnings too')
    .action((options: VerifyOptions) => host.runOnce(options, (run) => verify(run, options)));
}

async function verify({ session, world, output }: Run, { game, strict }: VerifyOptions): Promise<ExitCode> {
  const gameId = game === undefined ? undefined : gameIdOf(game);
  const invariants: InvariantReport[] = [];
  const progress = followProgress(output, 'containers');
  try {
    const reports = world.verifyInvariants(session, { gameId, onProgress: progress.onProgress });
    for await (const report of reports) {
      // A bar that is not taken away first takes the next line with it.
      if (report.name === 'removed_is_gone') progress.stop();
      invariants.push(report);
      if (!output.isJson) showInvariant(output, report);
    }
  } finally {
    progress.stop();
  }
  const isSound = ({ status, warnings }: InvariantReport): boolean =>
    status === 'holds' && (strict !== true || warnings === 0);
  const ok = invariants.every(isSound);
  if (output.isJson) {
    output.document({ ok, invariants });
  } else {
    showFindings(output, invariants);
    showVerdict(output, invariants, ok);
  }
  return ok ? DONE : FAILED;
}
