import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDurationMs } from '../../../config/duration.js';
import { OP_SOURCES } from '../../../domain/operation.js';
import type { CleanupJobData, EnqueuedJob, JobResult } from '../../../jobs/ports.js';
import { gameIdsOf, type RequestOptions, requestsOf } from './requests.js';
import { endingLine, exitCodeOf, rowOf, showRows } from './rows.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import type { Producer } from '../../command-context.js';
import { startProgress } from '../../terminal/progress.js';

interface EnqueueOptions extends CommandOptions, RequestOptions {
  /** Milliseconds; true: as long as it takes. */
  readonly wait?: number | true;
}

/** Small enough for the queue to store in one call, and for a progress bar to move. */
const BATCH_SIZE = 250;

export function addEnqueueCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'enqueue <game-id...>',
    summary: 'Enqueues the removal of the containers of games',
    details:
      'A game with a waiting or running cleanup gets no second job, except when a running sweep has enqueued it. With - the command reads game ids from standard input, one on each line.',
    examples: [
      ['runtime-cleanup enqueue game-7', 'one job; the command ends as soon as the queue has stored it'],
      [
        'runtime-cleanup enqueue game-7 game-8 --wait 2m',
        'wait and show the results; exit code 1 unless every container was cleaned up',
      ],
      [
        'runtime-cleanup records --status stopped --all --json | jq -r ".records[].gameId" | runtime-cleanup enqueue -',
        'every stopped game',
      ],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  })
    .option('--source <source>', `the source of the request: ${OP_SOURCES.join(', ')}`, 'operator_cli')
    .option('--ref <text>', 'a reference of your own, stored in the operation log')
    .option('--expect <container-id>', "only if this is the container in the game's record")
    .addOption(
      new Option('--wait [time]', 'wait until the jobs have ended, at most this long (30s, 5m)').argParser(waitOf),
    )
    .action((args: string[], options: EnqueueOptions) => host.runOnce(options, (run) => enqueue(run, args, options)));
}

function waitOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms === 0) {
    throw new InvalidArgumentError('Allowed: 500ms, 30s, 5m, 1h; write game ids before --wait, not after it.');
  }
  return ms;
}

async function enqueue(
  run: CommandRun<'openProducer'>,
  args: readonly string[],
  options: EnqueueOptions,
): Promise<ExitCode> {
  const requests = requestsOf(await gameIdsOf(args, run.stdin), options);
  const jobs: EnqueuedJob[] = [];
  const endings = new Map<string, JobResult>();
  const summary = () => ({
    waited: options.wait !== undefined,
    rows: requests.map(({ gameId }, index) => rowOf(gameId, jobs[index], endings.get(jobs[index]?.jobId ?? ''))),
  });

  const producer = await run.backend.openProducer(run.context);
  try {
    await store(run, producer, requests, jobs);
    if (options.wait !== undefined) await waitForEndings(run, producer, { jobs, endings, limitMs: options.wait });
  } catch (thrown) {
    // Jobs that are stored stay in the queue, so the output must name their games.
    if (jobs.length > 0) showRows(run.output, summary());
    throw thrown;
  } finally {
    await producer.close();
  }
  showRows(run.output, summary());
  return exitCodeOf(summary());
}

/** Enqueues the requests; `jobs` grows with each stored batch, in the order of the requests. */
async function store(
  { context, output }: CommandRun,
  { queue }: Producer,
  requests: readonly CleanupJobData[],
  jobs: EnqueuedJob[],
): Promise<void> {
  const progress = startProgress(output, 'enqueued', requests.length);
  try {
    for (let start = 0; start < requests.length; start += BATCH_SIZE) {
      context.signal.throwIfAborted();
      const added = await queue.enqueue(requests.slice(start, start + BATCH_SIZE));
      jobs.push(...added);
      progress.advance(added.length, `enqueued ${jobs.length} of ${requests.length}`);
    }
  } finally {
    progress.stop();
  }
}

interface Waiting {
  readonly jobs: readonly EnqueuedJob[];
  /** Filled as the jobs end. */
  readonly endings: Map<string, JobResult>;
  /** Milliseconds; true: as long as it takes. */
  readonly limitMs: number | true;
}

/** Returns when all jobs have ended, when the time limit is over, or when the user stops the command. */
async function waitForEndings({ context, output }: CommandRun, producer: Producer, waiting: Waiting): Promise<void> {
  const { jobs, endings, limitMs } = waiting;
  const games = new Map(jobs.map(({ jobId, gameId }) => [jobId, gameId]));
  const limit = new AbortController();
  const cancelLimit = limitMs === true ? () => {} : context.clock.after(limitMs, () => limit.abort());
  const progress = startProgress(output, 'ended', games.size);
  const onEnd = (ending: JobResult) => {
    endings.set(ending.jobId, ending);
    progress.advance(1, endingLine(games.get(ending.jobId) ?? '', ending));
  };
  try {
    await producer.endings.wait([...games.keys()], onEnd, AbortSignal.any([context.signal, limit.signal]));
  } catch (thrown) {
    if (!context.signal.aborted && !limit.signal.aborted) throw thrown;
    progress.stop();
    const left = games.size - endings.size;
    output.note(
      `${limit.signal.aborted ? 'The time limit is over' : 'Stopped waiting'}; ${left} of ${games.size} jobs have not ended. ` +
        'They stay in the queue and workers will process them; `runtime-cleanup log <game-id>` shows the results.',
    );
  } finally {
    cancelLimit();
    progress.stop();
  }
}
