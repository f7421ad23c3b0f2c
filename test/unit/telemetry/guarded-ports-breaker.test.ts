import { describe, expect, it, onTestFinished } from 'vitest';
import type { ContainerEngine, OperationLog } from '../../../src/cleanup/ports.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { guardEngine } from '../../../src/telemetry/guarded-ports/guard-engine.js';
import { guardLeaseStore } from '../../../src/telemetry/guarded-ports/guard-lease-store.js';
import { guardOperationLog, guardRecords } from '../../../src/telemetry/guarded-ports/guard-records.js';
import { nextSteps } from '../../support/steps.js';
import { createGuardWorld } from './guard-world.js';

const ID = 'c'.repeat(64);

describe('the steps of a guarded port', () => {
  it('a guarded port publishes the start and the end of each call under the name of its span', async () => {
    const { guard } = createGuardWorld();
    const steps = nextSteps();
    onTestFinished(steps.stop);
    const engine: ContainerEngine = {
      look: async () => ({ kind: 'gone' }),
      remove: () => Promise.reject(new UnavailableError('docker', 'no answer')),
      labelled: async () => [],
    };
    const { look, remove } = guardEngine(engine, guard);
    const { signal } = new AbortController();
    await look(ID, signal);
    await expect(remove(ID, signal)).rejects.toThrow('no answer');
    const facts = { 'container.id': ID };
    expect(steps.seen()).toEqual([
      { step: 'container look', at: 'start', facts },
      { step: 'container look', at: 'end', facts, answer: { kind: 'gone' } },
      { step: 'container remove', at: 'start', facts },
      { step: 'container remove', at: 'error', facts },
    ]);
  });
});

describe('the circuit breaker behind guarded ports', () => {
  const refuses = (): Promise<never> => Promise.reject(new UnavailableError('postgresql', 'no answer'));
  const entry = {} as OperationEntry;
  const refusedTimes = async (times: number, call: () => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < times; i++) await expect(call()).rejects.toThrow('no answer');
  };

  it('the breaker counts the calls of records and operation log as calls of one database', async () => {
    const { guard, opened } = createGuardWorld();
    const records = guardRecords({ take: refuses, markRemoved: refuses }, guard);
    const log: OperationLog = guardOperationLog({ append: refuses }, guard);
    await refusedTimes(2, () => records.take('g'));
    await refusedTimes(2, () => log.append(entry));
    expect(opened).toEqual([]);
    await refusedTimes(1, () => records.take('g'));
    expect(opened).toEqual(['postgresql']);
  });

  it('the breaker counts looks, removals and lists as calls of the engine', async () => {
    const { guard, opened } = createGuardWorld();
    const rejects = (): Promise<never> => Promise.reject(new UnavailableError('docker', 'no answer'));
    const { look, remove, labelled } = guardEngine({ look: rejects, remove: rejects, labelled: rejects }, guard);
    const { signal } = new AbortController();
    await refusedTimes(3, () => look(ID, signal));
    await refusedTimes(1, () => remove(ID, signal));
    await refusedTimes(1, () => labelled('game-1', signal));
    expect(opened).toEqual(['docker']);
  });

  it('the breaker counts acquisitions and renewals, but not a release that a full store still carries out', async () => {
    const { guard, opened } = createGuardWorld();
    const full: LeaseStore = {
      acquire: () => Promise.reject(new UnavailableError('redis', 'no answer')),
      renew: () => Promise.reject(new UnavailableError('redis', 'no answer')),
      release: async () => true,
    };
    const store = guardLeaseStore(full, 'redis', guard);
    for (let i = 0; i < 5; i++) {
      await refusedTimes(1, () => (i % 2 === 0 ? store.acquire('g', 't', 1) : store.renew('g', 't', 1)));
      await store.release('g', 't');
    }
    expect(opened).toEqual(['redis']);
  });
});
