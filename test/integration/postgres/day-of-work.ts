/** What one day's work comes to on a database: the commands of the program in this process, one after the other. */
import { Client } from 'pg';
import { createCommandBackend } from '../../../src/app/command-backend.js';
import { systemClock } from '../../../src/async/clock.js';
import type { CommandContext } from '../../../src/cli/command-context.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { read } from '../../unit/config/reading.js';
import { createChanges } from '../../support/changes.js';
import { startStubEngine } from '../../support/engine/stub-engine.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Place {
  /** Leads to the database itself, for the test's own look at it. */
  readonly directUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

const idOf = (game: string): string => Buffer.from(game).toString('hex').padEnd(64, '0');

/** Stopped so long ago; the retention is 30 days. An hour off would change each verdict. */
const STOPPED_AGO_MS = {
  asked: HOUR_MS,
  due: 30 * DAY_MS + HOUR_MS / 2,
  held: 30 * DAY_MS + HOUR_MS,
  kept: 30 * DAY_MS - HOUR_MS / 2,
  unusable: HOUR_MS,
};

async function fill(connectionString: string, nowMs: number): Promise<void> {
  const options = '-c default_transaction_read_only=off -c statement_timeout=0 -c transaction_timeout=0';
  const db = new Client({ connectionString, options });
  await db.connect();
  for (const [game, agoMs] of Object.entries(STOPPED_AGO_MS)) {
    const containerId = game === 'unusable' ? 'abc' : idOf(game);
    await db.query(
      `INSERT INTO public.runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, 'stopped', $2, $3::timestamptz, $3::timestamptz, $3::timestamptz)`,
      [game, containerId, new Date(nowMs - agoMs).toISOString()],
    );
  }
  await db.end();
}

/** Resolves to facts that must not depend on how the database was reached or what its defaults are. */
export async function dayOfWork({ directUrl, environment }: Place): Promise<object> {
  const engine = await startStubEngine();
  const stopping = new AbortController();
  const changes = createChanges();
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
    changes.notify();
  };
  const context: CommandContext = {
    config: read({ DOCKER_HOST: engine.dockerHost, RTMANAGER_SWEEP_MAX_SHARE: '100%', ...environment }),
    log: createLogger({ level: 'info', name: 'day', destination: { write } }),
    clock: systemClock,
    signal: stopping.signal,
  };
  const backend = createCommandBackend({ version: '1.2.3', metricsText: undefined });
  let worker: Promise<void> | undefined;
  try {
    const migrated = [await backend.migrate(context, () => undefined), await backend.migrate(context, () => undefined)];
    const startedMs = Date.now();
    await fill(directUrl, startedMs);

    const { holds, close: closeHolds } = await backend.openHolds(context);
    const { hold } = await holds.put({ gameId: 'held', reason: 'appeal', heldBy: 'kim', end: { forMs: HOUR_MS } });
    await closeHolds();

    const { retention, close: closeRetention } = await backend.openRetention(context);
    const plan = await retention.plan({ includeNotDue: true, limit: 100 });
    const summary = await retention.summary();
    await closeRetention();

    worker = backend.runService(context, 'worker');
    const { queue, endings, close: closeProducer } = await backend.openProducer(context);
    const jobs = await queue.enqueue([
      { gameId: 'asked', opSource: 'operator_cli' },
      { gameId: 'unusable', opSource: 'operator_cli' },
    ]);
    const ended = new Map<string, string>();
    await endings.wait(
      jobs.map(({ jobId }) => jobId),
      (ending) => {
        const game = jobs.find(({ jobId }) => jobId === ending.jobId)?.gameId ?? '';
        ended.set(game, ending.state === 'completed' ? ending.result.outcome : ending.state);
      },
      stopping.signal,
    );
    await closeProducer();
    // The first sweep of a new worker enqueues what is due.
    await changes.until(() => {
      if (!engine.removed.includes(idOf('due')))
        throw new Error(`the due container was not removed:\n${lines.join('')}`);
    });

    const { deadLetters, close: closeDeadLetters } = await backend.openDeadLetters(context);
    const { items: dead } = await deadLetters.list({ limit: 10 });
    await closeDeadLetters();
    stopping.abort();
    await worker;

    const after = { ...context, signal: new AbortController().signal };
    const { queries, close: closeReader } = await backend.openReader(after);
    const records = await queries.listRecords({ limit: 100 });
    const { items: operations } = await queries.listOperations({ limit: 100 });
    await closeReader();
    const broken: string[] = [];
    for await (const { name, status } of backend.verifyInvariants(after, {})) {
      if (status !== 'holds') broken.push(`${name} ${status}`);
    }
    const isNow = (at: Date | null | undefined): boolean => Math.abs((at?.getTime() ?? 0) - Date.now()) < 5 * 60_000;
    return {
      migrated: migrated.map((names) => names.length > 0),
      holdEndsInAnHour: isNow(new Date((hold.heldUntil?.getTime() ?? 0) - HOUR_MS)),
      plan: plan.items.map(({ gameId, verdict }) => `${gameId} ${verdict}`).toSorted(),
      planIsOfNow: isNow(plan.asOf),
      due: summary.due,
      held: summary.held,
      ended: Object.fromEntries(ended),
      dead: dead.map(({ gameId, code, failedAt }) => `${gameId} ${code} ${isNow(failedAt)}`),
      records: records.items.map(({ gameId, status, stoppedAt, removedAt }) => {
        const agoMs = startedMs - (stoppedAt?.getTime() ?? 0);
        return `${gameId} ${status} ${Object.entries(STOPPED_AGO_MS).find(([, ms]) => ms === agoMs)?.[1] === agoMs} ${removedAt === null || isNow(removedAt)}`;
      }),
      operations: operations
        .map(({ gameId, outcome, errorCode, finishedAt }) => `${gameId} ${outcome} ${errorCode} ${isNow(finishedAt)}`)
        .toSorted(),
      removed: engine.removed.toSorted(),
      broken,
      unexpected: lines.filter((line) => /"level":"error"/.test(line) && !/container_mismatch/.test(line)),
    };
  } finally {
    stopping.abort();
    await worker?.catch(() => undefined);
    await engine.stop();
  }
}

/** The facts of a day at which nothing went wrong. */
export const A_GOOD_DAY = {
  migrated: [true, false],
  holdEndsInAnHour: true,
  planIsOfNow: true,
  plan: ['asked not_due', 'due due', 'held held', 'kept not_due', 'unusable not_due'],
  due: 1,
  held: 1,
  ended: { asked: 'success', unusable: 'failed' },
  dead: ['unusable container_mismatch true'],
  records: [
    'asked removed true true',
    'due removed true true',
    'held stopped true true',
    'kept stopped true true',
    'unusable stopped true true',
  ],
  operations: ['asked success  true', 'due success  true', 'unusable failure container_mismatch true'],
  removed: [idOf('asked'), idOf('due')].toSorted(),
  broken: [],
  unexpected: [],
};
