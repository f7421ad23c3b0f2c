import { Option, type Command } from 'commander';
import type { InvariantReport } from '../../../audit/audit-report.js';
import { gameIdOf } from '../../terminal/argument-parsers.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, ENGINE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { followProgress } from '../../terminal/progress.js';
import { showFindings, showInvariant, showVerdict } from './output.js';

interface VerifyOptions extends CommandOptions {
  readonly game?: string;
  readonly strict?: boolean;
}

export function addVerifyCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'verify',
    summary: 'Checks that records, log, containers, engines, leases and jobs agree; changes nothing',
    details:
      'Reads the stores and the engine, also while workers are running. An invariant holds, is broken, or is unknown because a dependency did not answer. ' +
      'A warning is something that another service may do under the contract, or that an outage may leave behind. ' +
      'Exits with 1 when an invariant is broken or unknown.',
    examples: [
      ['runtime-cleanup verify', 'check everything, and say how to repair what is broken'],
      [
        'runtime-cleanup verify --game game-7',
        'only the record, the rows and the container of one game, but all engines, jobs and leases',
      ],
      [
        'runtime-cleanup verify --strict',
        'warnings are failures too, for a platform where no other service removes containers',
      ],
      [
        'runtime-cleanup verify --json',
        'prints { "ok", "invariants": [{ name, status, checked, broken, warnings, reason, findings, ... }] }',
      ],
    ],
    settings: [...DATABASE_SETTINGS, ...QUEUE_SETTINGS, 'RTMANAGER_LEASE_STORE', ...ENGINE_SETTINGS],
  })
    .addOption(new Option('--game <game-id>', 'only records, rows and containers of this game'))
    .option('--strict', 'exit with 1 for warnings too')
    .action((options: VerifyOptions) => host.runOnce(options, (run) => verify(run, options)));
}

async function verify(
  { context, backend, output }: CommandRun<'verifyInvariants'>,
  { game, strict }: VerifyOptions,
): Promise<ExitCode> {
  const gameId = game === undefined ? undefined : gameIdOf(game);
  const invariants: InvariantReport[] = [];
  const progress = followProgress(output, 'containers');
  try {
    const reports = backend.verifyInvariants(context, { gameId, onProgress: progress.onProgress });
    for await (const report of reports) {
      // A progress bar that is still shown would overwrite the next line.
      if (report.name === 'removed_is_gone') progress.stop();
      invariants.push(report);
      if (!output.isJson) showInvariant(output, report);
    }
  } finally {
    progress.stop();
  }
  const isOk = ({ status, warnings }: InvariantReport): boolean =>
    status === 'holds' && (strict !== true || warnings === 0);
  const ok = invariants.every(isOk);
  if (output.isJson) {
    output.document({ ok, invariants });
  } else {
    showFindings(output, invariants);
    showVerdict(output, { reports: invariants, ok });
  }
  return ok ? DONE : FAILED;
}
