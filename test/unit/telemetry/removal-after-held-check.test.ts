/**
 * The cleanup service asserts its lease on the line before the removal. The lease may end if anything is awaited between
 * that check and the request. So the service, the guard and the engine's adapter are combined as in a worker, and the
 * request must leave in the same synchronous run as the check.
 */
import type Docker from 'dockerode';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import { createBreaker } from '../../../src/circuit-breaker/breaker.js';
import { createCleanupService } from '../../../src/cleanup/cleanup-service.js';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import type { Leases } from '../../../src/lease/with-lease.js';
import { guardEngine } from '../../../src/telemetry/guarded-ports/guard-engine.js';
import { aCommand } from '../../support/cleanup-world.js';
import { believedEngine } from '../../support/engine/believed-engine.js';
import { createManualClock } from '../../support/manual-clock.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';
import { nextSteps } from '../../support/steps.js';
import { recordTelemetry } from './recorded-telemetry.js';

type Wrapper = (engine: ContainerEngine) => ContainerEngine;
type Moment = 'in the same run as the check' | 'after something waited';

/** Cleans up one game; resolves to the moment at which dockerode was asked to remove the container. */
async function momentOfRemoval(
  wrappers: { readonly aroundGuard?: Wrapper; readonly aroundAdapter?: Wrapper } = {},
): Promise<Moment | undefined> {
  const { aroundGuard = same, aroundAdapter = same } = wrappers;
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  const breaker = createBreaker({ clock, report: { opened: noop, stillOpen: noop, closed: noop } });

  let hasWaited = true;
  const leases: Leases = {
    withLease: async (_gameId, signal, work) => {
      const assertHeld = (): void => {
        hasWaited = false;
        // Runs before any continuation of a later await.
        queueMicrotask(() => {
          hasWaited = true;
        });
      };
      return { status: 'done', value: await work({ signal, assertHeld }) };
    },
  };
  let moment: Moment | undefined;
  const docker = fakeDocker(() => {
    moment = hasWaited ? 'after something waited' : 'in the same run as the check';
  });
  const adapter = createContainerEngine({ docker, clock, timeoutMs: 1_000 });
  const engine = aroundGuard(guardEngine(aroundAdapter(adapter), { ...recorded.telemetry, breaker }));
  const record = aRecord();
  const service = createCleanupService(
    {
      leases,
      engines: believedEngine(engine),
      clock,
      records: {
        take: async () => ({ record, stoppedForMs: 10_000, held: false }),
        markRemoved: async () => ({ status: 'marked', record }),
      },
      log: { append: async () => undefined },
      observer: { concluded: noop, auditRowLost: noop, leaseReleaseFailed: noop },
    },
    { retentionMs: 10_000 },
  );
  const result = await service.handle(aCommand(), new AbortController().signal);
  expect(result).toMatchObject({ outcome: 'success', errorCode: '' });
  return moment;
}

const noop = (): void => undefined;
const same: Wrapper = (engine) => engine;

/** A client with the two calls that the adapter makes. */
function fakeDocker(onRemove: () => void): Docker {
  const container = {
    inspect: async () => ({
      Id: CONTAINER_ID,
      State: { Status: 'exited', Running: false, Paused: false, Restarting: false, Dead: false },
      Config: { Labels: { 'com.galaxy.game_id': 'game-1' } },
    }),
    remove: async () => {
      onRemove();
      return Buffer.alloc(0);
    },
  };
  // The cast: dockerode's class has many more members, which the adapter does not use.
  return { getContainer: () => container } as unknown as Docker;
}

const awaiting: Wrapper = (engine) => ({
  ...engine,
  remove: async (containerId, signal) => {
    await Promise.resolve();
    return engine.remove(containerId, signal);
  },
});

describe('the request to remove a container', () => {
  it('the request leaves for the engine in the same synchronous run as the check of the lease', async () => {
    expect(await momentOfRemoval()).toBe('in the same run as the check');
  });

  it('the request leaves in that run even with a subscriber to the steps', async () => {
    const steps = nextSteps();
    onTestFinished(steps.stop);
    expect(await momentOfRemoval()).toBe('in the same run as the check');
    expect(steps.seen().map(({ step }) => step)).toContain('container remove');
  });

  it('this test reports a late request when a wrapper around the guard awaits once', async () => {
    expect(await momentOfRemoval({ aroundGuard: awaiting })).toBe('after something waited');
  });

  it('this test reports a late request when a wrapper around the adapter awaits once', async () => {
    expect(await momentOfRemoval({ aroundAdapter: awaiting })).toBe('after something waited');
  });
});
