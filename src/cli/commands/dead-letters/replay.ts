import type { Command } from 'commander';
import { addSelectionOptions, forEachJob, forMany, type SelectionOptions, selectionOf } from './selection.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';

export function addReplayCommand(group: Command, host: CommandHost): void {
  const command = addCommand(group, {
    usage: 'replay [job-id...]',
    summary: 'Puts dead letters back into the queue',
    details:
      'A replayed job keeps its id and its history, and gets all its attempts again. Replaying a job twice has no further effect. Exits with 1 when there is no job with a given id.',
    examples: [
      ['runtime-cleanup dead-letters replay 12 13', 'these two jobs'],
      ['runtime-cleanup dead-letters replay --code service_unavailable', 'all dead letters of an outage'],
      ['runtime-cleanup dead-letters replay --all --rate 50', 'all dead letters, at most 50 a second'],
      [
        'runtime-cleanup dead-letters replay 12 --json',
        'prints { "jobs": [{ jobId, status: replayed, live or missing }] }',
      ],
      ['runtime-cleanup dead-letters replay --all --json', 'prints { "done", "skipped" }'],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  });
  addSelectionOptions(command).action((jobIds: string[], options: SelectionOptions) =>
    host.runOnce(options, (run) => replay(run, jobIds, options)),
  );
}

async function replay(
  run: CommandRun<'openDeadLetters'>,
  jobIds: readonly string[],
  options: SelectionOptions,
): Promise<ExitCode> {
  const selection = selectionOf(jobIds, options, run.context.clock);
  const { deadLetters, close } = await run.backend.openDeadLetters(run.context);
  try {
    if (selection.kind === 'jobs') return await forEachJob(run, selection.jobIds, deadLetters.replay);
    return await forMany(run, 'replayed', (options) =>
      deadLetters.replayAll(selection.filter, { perSecond: selection.perSecond, ...options }),
    );
  } finally {
    await close();
  }
}
