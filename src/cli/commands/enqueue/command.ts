import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDurationMs } from '../../../config/duration.js';
import { OP_SOURCES } from '../../../domain/operation.js';
import type { CleanupJobData, EnqueuedJob, JobResult } from '../../../jobs/ports.js';
import { gameIdsOf, type RequestOptions, requestsOf } from './requests.js';
import { endingLine, exitCodeOf, rowOf, showRows } from './rows.js';
import type { ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';
import type { Producer } from '../../command-context.js';
import { startProgress } from '../../terminal/progress.js';

interface EnqueueOptions extends CommandOptions, RequestOptions {
  /** Milliseconds; true: as long as it takes. */
  readonly wait?: number | true;
}

/** Small enough for the queue to store at one go, and for a progress bar to move. */
const BATCH_SIZE = 250;

export function addEnqueueCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'enqueue <game-id...>',
    summary: 'Asks for the containers of games to be removed',
    details:
      'A game whose cleanup is already under way gets no second job, unless it is one of the sweep that is running right now. With - game ids are read from standard input, one a line.',
    examples: [
      ['runtime-cleanup enqueue game-7', 'one job; returns as soon as the queue has it'],
      ['runtime-cleanup enqueue game-7 game-8 --wait 2m', 'shows how they ended; exit code 1 unless all completed'],
      [
        'runtime-cleanup records --status stopped --all --json | jq -r ".records[].gameId" | runtime-cleanup enqueue -',
        'all of them',
      ],
    ],
    settings: [...QUEUE_SETTINGS, ...DATABASE_SETTINGS],
  })
    .option('--source <source>', `who asks: ${OP_SOURCES.join(', ')}`, 'operator_cli')
    .option('--ref <text>', 'your own reference, kept in the operation log')
    .option('--expect <container-id>', "only if this is the game's container")
    .addOption(new Option('--wait [time]', 'wait for the jobs to end, at most this long (30s, 5m)').argParser(waitOf))
    .action((args: string[], options: EnqueueOptions) => host.runOnce(options, (run) => enqueue(run, args, options)));
}

function waitOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms === 0) {
    throw new InvalidArgumentError('Allowed: 500ms, 30s, 5m, 1h; write a game id before --wait, not behind it.');
  }
  return ms;
}

async function enqueue(run: Run, args: readonly string[], options: EnqueueOptions): Promise<ExitCode> {
  const requests = requestsOf(await gameIdsOf(args, run.stdin), options);
  const jobs: EnqueuedJob[] = [];
  const endings = new Map<string, JobResult>();
  const summary = () => ({
    waited: options.wait !== undefined,
    rows: requests.map(({ gameId }, index) => rowOf(gameId, jobs[index], endings.get(jobs[index]?.jobId ?? ''))),
  });

  const producer = await run.world.openProducer(run.session);
  try {
    await store(run, producer, requests, jobs);
    if (options.wait !== undefined) await waitForEndings(run, producer, { jobs, endings, limitMs: options.wait });
  } catch (thrown) {
    // What the queue has, it keeps; whoever asked must learn which games these are.
    if (jobs.length > 0) showRows(run.output, summary());
    throw thrown;
  } finally {
    await producer.close();
  }
  showRows(run.output, summary());
  return exitCodeOf(summary());
}

/** Puts the requests into the queue; `jobs` tells how far it has come, in the order of the requests. */
async function store(
  { session, output }: Run,
  { queue }: Producer,
  requests: readonly CleanupJobData[],
  jobs: EnqueuedJob[],
): Promise<void> {
  const progress = startProgress(output, 'enqueued', requests.length);
  try {
    for (let start = 0; start < requests.length; start += BATCH_SIZE) {
      session.signal.throwIfAborted();
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

/** Returns when all jobs have ended, the time is over, or the user no longer wants to wait. */
async function waitForEndings({ session, output }: Run, producer: Producer, waiting: Waiting): Promise<void> {
  const { jobs, endings, limitMs } = waiting;
  const games = new Map(jobs.map(({ jobId, gameId }) => [jobId, gameId]));
  const limit = new AbortController();
  const cancelLimit = limitMs === true ? () => {} : session.clock.after(limitMs, () => limit.abort());
  const progress = startProgress(output, 'ended', games.size);
  const onEnd = (ending: JobResult) => {
    endings.set(ending.jobId, ending);
    progress.advance(1, endingLine(games.get(ending.jobId) ?? '', ending));
  };
  try {
    await producer.endings.wait([...games.keys()], onEnd, AbortSignal.any([session.signal, limit.signal]));
  } catch (thrown) {
    if (!session.signal.aborted && !limit.signal.aborted) throw thrown;
    progress.stop();
    const left = games.size - endings.size;
    output.note(
      `${limit.signal.aborted ? 'The time is over' : 'No longer waiting'}; ${left} of ${games.size} jobs have not ended. ` +
        'They stay in the queue and will be worked on; `runtime-cleanup log <game-id>` shows how they end.',
    );
  } finally {
    cancelLimit();
    progress.stop();
  }
}
