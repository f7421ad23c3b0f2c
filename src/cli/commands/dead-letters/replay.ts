import type { Command } from 'commander';
import { addChoiceOptions, choiceOf, type ChoiceOptions } from './selection.js';
import { eachJob } from './answers.js';
import { bulk } from './bulk.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';

export function addReplayCommand(group: Command, host: CommandHost): void {
  const command = addCommand(group, {
    usage: 'replay [job-id...]',
    summary: 'Puts dead letters back into the queue',
    details:
      'A replayed job keeps its id and its history, and gets all its tries again. Replaying one twice does no harm. Exits with 1 when a job id was missing.',
    examples: [
      ['runtime-cleanup dead-letters replay 12 13', 'these two'],
      ['runtime-cleanup dead-letters replay --code service_unavailable', 'all that an outage left behind'],
      ['runtime-cleanup dead-letters replay --all --rate 50', 'everything, at most 50 a second'],
      [
        'runtime-cleanup dead-letters replay 12 --json',
        'prints { "jobs": [{ jobId, status: replayed, live or missing }] }',
      ],
      ['runtime-cleanup dead-letters replay --all --json', 'prints { "done", "skipped" }'],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  });
  addChoiceOptions(command).action((jobIds: string[], options: ChoiceOptions) =>
    host.runOnce(options, (run) => replay(run, jobIds, options)),
  );
}

async function replay(run: Run, jobIds: readonly string[], options: ChoiceOptions): Promise<ExitCode> {
  const choice = choiceOf(jobIds, options, run.session.clock);
  const { deadLetters, close } = await run.world.openDeadLetters(run.session);
  try {
    if (choice.kind === 'jobs') return await eachJob(run, choice.jobIds, deadLetters.replay);
    return await bulk(run, 'replayed', (options) =>
      deadLetters.replayAll(choice.filter, { perSecond: choice.perSecond, ...options }),
    );
  } finally {
    await close();
  }
}
