import type { Command } from 'commander';
import type { DeadLetterStory } from '../../../jobs/dead-letters.js';
import type { FailedAttempt } from '../../../jobs/delivery.js';
import { requireJobIds } from './selection.js';
import { sayMissing } from './answers.js';
import { asShellWord } from './words.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import { type Output, shown, shownTime } from '../../terminal/output.js';

export function addShowCommand(group: Command, host: CommandHost): void {
  addCommand(group, {
    usage: 'show <job-id>',
    summary: 'Tells the whole story of one dead letter',
    examples: [
      [
        'runtime-cleanup dead-letters show 12',
        'its data, and each try: when, with which code and message, in which trace',
      ],
      [
        'runtime-cleanup dead-letters show 12 --json',
        'prints { jobId, gameId, code, message, payload, attempts: [...], pastLives: [...], ... }',
      ],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  }).action((jobId: string, options: CommandOptions) => host.runOnce(options, (run) => show(run, jobId)));
}

async function show({ session, world, output }: Run, jobId: string): Promise<ExitCode> {
  requireJobIds([jobId]);
  const { deadLetters, close } = await world.openDeadLetters(session);
  try {
    const story = await deadLetters.find(jobId);
    if (story === undefined) {
      sayMissing(output, jobId);
      return FAILED;
    }
    if (output.isJson) output.document({ ...story, payload: writable(story.payload) });
    else tell(output, story);
    return DONE;
  } finally {
    await close();
  }
}

function tell(output: Output, story: DeadLetterStory): void {
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
  for (const [name, value] of facts) output.line(`${output.colours.bold(name.padEnd(10))}${shown(value)}`.trimEnd());

  showAttempts(output, story.replays === 0 ? 'Tries' : 'Tries since the last replay', story.attempts);
  for (const life of story.pastLives.toReversed()) {
    showAttempts(output, `Replayed after it had failed at ${isoShown(life.at)}: ${life.reason}`, life.attempts);
  }
  output.line('');
  output.note(shown(`Mend the cause, then \`runtime-cleanup dead-letters replay ${asShellWord(story.jobId)}\`.`));
}

function showAttempts(output: Output, title: string, attempts: readonly FailedAttempt[]): void {
  output.line('');
  output.line(shown(title));
  if (attempts.length === 0) {
    output.line('  none is known');
    return;
  }
  output.table(
    ['  TRY', 'FAILED', 'CODE', 'TRACE', 'MESSAGE'],
    attempts.map(({ attempt, at, code, traceId, message }) => [`  ${attempt}`, isoShown(at), code, traceId, message]),
  );
}

/** A time that came as text: as all others are shown, or as it is where it is none. */
function isoShown(text: string): string {
  const instant = new Date(text);
  return Number.isNaN(instant.getTime()) ? text : shownTime(instant);
}

/** What is nested some thousand levels deep can be parsed, but not written. */
function writable(payload: unknown): unknown {
  try {
    JSON.stringify(payload);
    return payload;
  } catch {
    return '(nested too deep to be shown)';
  }
}
