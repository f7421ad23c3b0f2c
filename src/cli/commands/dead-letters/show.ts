import type { Command } from 'commander';
import type { DeadLetterStory } from '../../../jobs/dead-letters.js';
import type { FailedAttempt } from '../../../jobs/delivery.js';
import { asShellWord, showMissing } from './output.js';
import { requireJobIds } from './selection.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { type Output, shownTime } from '../../terminal/command-output.js';
import { visible } from '../../../domain/text.js';

export function addShowCommand(group: Command, host: CommandHost): void {
  addCommand(group, {
    usage: 'show <job-id>',
    summary: 'Shows one dead letter with its data and every attempt',
    examples: [
      [
        'runtime-cleanup dead-letters show 12',
        'its data, and each attempt: when it failed, with which code and message, in which trace',
      ],
      [
        'runtime-cleanup dead-letters show 12 --json',
        'prints { jobId, gameId, code, message, payload, attempts: [...], pastLives: [...], ... }',
      ],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  }).action((jobId: string, options: CommandOptions) => host.runOnce(options, (run) => show(run, jobId)));
}

async function show({ context, backend, output }: CommandRun<'openDeadLetters'>, jobId: string): Promise<ExitCode> {
  requireJobIds([jobId]);
  const { deadLetters, close } = await backend.openDeadLetters(context);
  try {
    const story = await deadLetters.find(jobId);
    if (story === undefined) {
      showMissing(output, jobId);
      return FAILED;
    }
    if (output.isJson) output.document({ ...story, payload: writable(story.payload) });
    else showStory(output, story);
    return DONE;
  } finally {
    await close();
  }
}

function showStory(output: Output, story: DeadLetterStory): void {
  const facts = [
    ['job', `${story.jobId} (${story.jobName})`],
    ['game', story.gameId],
    ['asked by', [story.opSource, story.sourceRef].filter((part) => part !== '').join(', ')],
    ['asked', shownTime(story.enqueuedAt)],
    ['failed', shownTime(story.failedAt)],
    ['code', story.code],
    ['message', story.message],
    ['replays', String(story.replays)],
    ['data', JSON.stringify(writable(story.payload)) ?? ''],
  ] as const;
  for (const [name, value] of facts) output.line(`${output.colours.bold(name.padEnd(10))}${visible(value)}`.trimEnd());

  showAttempts(output, story.replays === 0 ? 'Attempts' : 'Attempts since the last replay', story.attempts);
  for (const run of story.pastLives.toReversed()) {
    showAttempts(
      output,
      `Attempts of an earlier run, which failed at ${isoShown(run.at)}: ${run.reason}`,
      run.attempts,
    );
  }
  output.line('');
  output.note(
    visible(`Repair the cause, then run \`runtime-cleanup dead-letters replay ${asShellWord(story.jobId)}\`.`),
  );
}

function showAttempts(output: Output, title: string, attempts: readonly FailedAttempt[]): void {
  output.line('');
  output.line(visible(title));
  if (attempts.length === 0) {
    output.line('  none are known');
    return;
  }
  output.table(
    ['  ATTEMPT', 'FAILED', 'CODE', 'TRACE', 'MESSAGE'],
    attempts.map(({ attempt, at, code, traceId, message }) => [`  ${attempt}`, isoShown(at), code, traceId, message]),
  );
}

/** A time that is stored as text: formatted as every other time, or unchanged when it is not a time. */
function isoShown(text: string): string {
  const instant = new Date(text);
  return Number.isNaN(instant.getTime()) ? text : shownTime(instant);
}

/** Data that is nested some thousand levels deep can be parsed, but not written. */
function writable(payload: unknown): unknown {
  try {
    JSON.stringify(payload);
    return payload;
  } catch {
    return '(nested too deep to be shown)';
  }
}
