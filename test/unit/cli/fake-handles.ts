/** What commands open, over the fake platform. Tests write to `state`, and override members only to inject faults. */
import type { CommandBackend, Producer, Reader } from '../../../src/cli/command-context.js';
import type { RecordQueries } from '../../../src/domain/record-queries.js';
import type { DeadLetters } from '../../../src/jobs/dead-letters.js';
import type { Hold } from '../../../src/retention/holds.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createFakePlatform } from '../../support/fakes/platform.js';
import { addFakeJob, type FakeJob, type PlatformState } from '../../support/fakes/state.js';

/** A `close` that counts its calls. */
function counted() {
  const closed = { times: 0 };
  const close = async (): Promise<void> => {
    closed.times += 1;
  };
  return { closed, close };
}

export function fakeReader(over: Partial<RecordQueries> = {}) {
  const platform = createFakePlatform();
  const { closed, close } = counted();
  const openReader = async (): Promise<Reader> => ({ queries: { ...platform.recordQueries, ...over }, close });
  return { ...platform, closed, backend: { openReader } satisfies Partial<CommandBackend> };
}

/** `enqueued` has the batches that the command sent. */
export function fakeProducer(
  over: { enqueue?: Producer['queue']['enqueue']; wait?: Producer['endings']['wait'] } = {},
) {
  const platform = createFakePlatform();
  const { closed, close } = counted();
  const enqueued: unknown[][] = [];
  const openProducer = async (): Promise<Producer> => {
    const { enqueue, wait } = { enqueue: platform.cleanupQueue.enqueue, wait: platform.jobWaiter.wait, ...over };
    const queue: Producer['queue'] = {
      enqueue: (requests) => {
        enqueued.push([...requests]);
        return enqueue(requests);
      },
      close,
    };
    return { queue, endings: { wait, close }, close };
  };
  return { ...platform, closed, enqueued, backend: { openProducer } satisfies Partial<CommandBackend> };
}

export function fakeRetention(over: Partial<Retention> = {}) {
  const platform = createFakePlatform();
  const { closed, close } = counted();
  const openRetention = async () => ({ retention: { ...platform.retention, ...over }, close });
  return { ...platform, closed, backend: { openRetention } satisfies Partial<CommandBackend> };
}

export function fakeHolds(start: readonly Hold[] = []) {
  const platform = createFakePlatform();
  for (const hold of start) platform.state.holds.set(hold.gameId, hold);
  const { closed, close } = counted();
  const openHolds = async () => ({ holds: platform.holds, queries: platform.recordQueries, close });
  return { ...platform, closed, backend: { openHolds } satisfies Partial<CommandBackend> };
}

/** @param addresses of the engines that are configured here, by name */
export function fakeEngines(addresses: ReadonlyMap<string, string> = new Map([['default', 'unix:///engine.sock']])) {
  const platform = createFakePlatform();
  const { closed, close } = counted();
  const openEngines = async () => ({ engines: platform.engines, addresses: () => addresses, close });
  return { ...platform, closed, backend: { openEngines } satisfies Partial<CommandBackend> };
}

export function fakeDeadLetters(over: Partial<DeadLetters> = {}) {
  const platform = createFakePlatform();
  const { closed, close } = counted();
  const openDeadLetters = async () => ({ deadLetters: { ...platform.deadLetters, ...over }, close });
  return { ...platform, closed, backend: { openDeadLetters } satisfies Partial<CommandBackend> };
}

/** Adds a job that failed for good with this reason; override what a test is about. */
export function addDeadLetter(
  state: PlatformState,
  reason = 'conflict: the runtime is running; stop it first',
  over: Partial<FakeJob> = {},
): FakeJob {
  const data = { gameId: 'game-1', opSource: 'admin_rest', sourceRef: 'ticket 7' };
  const added = addFakeJob(state, data, {
    enqueuedAt: new Date('2026-01-02T09:00:00Z'),
    finishedAt: new Date('2026-01-02T10:00:00.250Z'),
    ...over,
  });
  const failed: FakeJob = { ...added, state: 'failed', ending: { jobId: added.jobId, state: 'failed', reason } };
  state.setJob(failed);
  return failed;
}
