import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { ContainerEngine, RuntimeRecords } from '../../../src/cleanup/ports.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { guardEngine } from '../../../src/telemetry/guarded-ports/guard-engine.js';
import { guardLeaseStore } from '../../../src/telemetry/guarded-ports/guard-lease-store.js';
import { guardRecords } from '../../../src/telemetry/guarded-ports/guard-records.js';
import { createGuardWorld } from './guard-world.js';

const ID = 'c'.repeat(64);

describe('a guarded lease store', () => {
  it('a guarded lease store passes on arguments and answers, and makes a span of each call', async () => {
    const { guard, spans } = createGuardWorld();
    const calls: unknown[][] = [];
    const store: LeaseStore = {
      acquire: async (...args) => calls.push(args) > 0,
      renew: async (...args) => calls.push(args) === 0,
      release: async (...args) => calls.push(args) > 0,
    };
    const guarded = guardLeaseStore(store, 'redis', guard);
    expect([
      await guarded.acquire('g', 't', 60),
      await guarded.renew('g', 't', 70),
      await guarded.release('g', 't'),
    ]).toEqual([true, false, true]);
    expect(calls).toEqual([
      ['g', 't', 60],
      ['g', 't', 70],
      ['g', 't'],
    ]);
    expect(spans().map(({ name, kind, attributes }) => ({ name, kind, attributes }))).toEqual(
      [
        { name: 'lease acquire', granted: true },
        { name: 'lease renew', granted: false },
        { name: 'lease release', granted: true },
      ].map(({ name, granted }) => ({
        name,
        kind: SpanKind.CLIENT,
        attributes: { 'rtmanager.game_id': 'g', 'rtmanager.lease.granted': granted },
      })),
    );
  });

  it('a guarded lease store measures the duration and the outcome of each acquisition only', async () => {
    const { guard, points, after, noAnswer } = createGuardWorld();
    const store = (acquire: LeaseStore['acquire']): LeaseStore => ({
      acquire,
      renew: async () => true,
      release: async () => true,
    });
    await guardLeaseStore(
      store(() => after(250, true)),
      'redis',
      guard,
    ).acquire('g', 't', 60);
    await guardLeaseStore(
      store(() => after(500, false)),
      'redis',
      guard,
    ).acquire('g', 't', 60);
    await expect(guardLeaseStore(store(noAnswer), 'redis', guard).acquire('g', 't', 60)).rejects.toThrow(
      'the store does not answer',
    );
    await guardLeaseStore(store(noAnswer), 'redis', guard).renew('g', 't', 60);
    const measured = { instrument: 'rtmanager.lease.acquire.duration', unit: 's' };
    expect(await points()).toEqual([
      { ...measured, attributes: { outcome: 'acquired' }, value: 0.25 },
      { ...measured, attributes: { outcome: 'busy' }, value: 0.5 },
      { ...measured, attributes: { outcome: 'failed' }, value: 0.75 },
    ]);
  });

  it('a guarded lease store records a rejection on the span, and rejects with the same error', async () => {
    const { guard, spans } = createGuardWorld();
    const error = new UnavailableError('redis', 'the store does not answer');
    const rejecting = () => Promise.reject(error);
    const store: LeaseStore = { acquire: rejecting, renew: rejecting, release: rejecting };
    await expect(guardLeaseStore(store, 'redis', guard).release('g', 't')).rejects.toBe(error);
    const [span] = spans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the store does not answer' });
    expect(span?.attributes).toMatchObject({ 'error.type': 'UnavailableError' });
    expect(span?.events.map(({ name }) => name)).toEqual(['exception']);
    expect(span?.ended).toBe(true);
  });

  it('a guarded lease store writes no token into the span', async () => {
    const { guard, spans } = createGuardWorld();
    const store: LeaseStore = { acquire: async () => true, renew: async () => true, release: async () => true };
    await guardLeaseStore(store, 'redis', guard).acquire('g', 'the-secret-token', 60);
    expect(JSON.stringify(spans()[0]?.attributes)).not.toContain('the-secret-token');
  });
});

describe('a guarded engine', () => {
  const engine = (changes: Partial<ContainerEngine>): ContainerEngine => ({
    look: async () => ({ kind: 'gone' }),
    remove: async () => ({ kind: 'gone', ours: true }),
    labelled: async () => [],
    ...changes,
  });

  it('a guarded engine passes on id and signal, and returns the answer', async () => {
    const { guard } = createGuardWorld();
    const calls: unknown[][] = [];
    const state = { kind: 'present', gameLabel: 'g', activity: 'idle', detail: 'exited' } as const;
    const guarded = guardEngine(
      engine({
        look: async (...args) => {
          calls.push(args);
          return state;
        },
        remove: async (...args) => {
          calls.push(args);
          return { kind: 'gone', ours: false };
        },
      }),
      guard,
    );
    const { signal } = new AbortController();
    expect(await guarded.look(ID, signal)).toBe(state);
    expect(await guarded.remove(ID, signal)).toEqual({ kind: 'gone', ours: false });
    expect(calls).toEqual([
      [ID, signal],
      [ID, signal],
    ]);
  });

  it('a guarded engine writes container and answer into the span', async () => {
    const { guard, spans } = createGuardWorld();
    const state = { kind: 'present', gameLabel: null, activity: 'paused', detail: 'paused' } as const;
    const guarded = guardEngine(
      engine({ look: async () => state, remove: async () => ({ kind: 'still_there', state, detail: '409' }) }),
      guard,
    );
    const { signal } = new AbortController();
    await guarded.look(ID, signal);
    await guarded.remove(ID, signal);
    expect(spans().map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      { name: 'container look', attributes: { 'container.id': ID, 'rtmanager.container.activity': 'paused' } },
      { name: 'container remove', attributes: { 'container.id': ID, 'rtmanager.container.removal': 'still_there' } },
    ]);
  });

  it('a guarded engine measures the duration and the outcome of each removal', async () => {
    const { guard, points, after, noAnswer } = createGuardWorld();
    const { signal } = new AbortController();
    const removed = engine({ remove: () => after(1_500, { kind: 'gone', ours: true } as const) });
    await guardEngine(removed, guard).remove(ID, signal);
    await expect(guardEngine(engine({ remove: noAnswer }), guard).remove(ID, signal)).rejects.toThrow(
      'does not answer',
    );
    const measured = { instrument: 'rtmanager.docker.remove.duration', unit: 's' };
    expect(await points()).toEqual([
      { ...measured, attributes: { outcome: 'gone' }, value: 1.5 },
      { ...measured, attributes: { outcome: 'failed' }, value: 0.75 },
    ]);
  });
});

describe('guarded records', () => {
  it('guarded records make a database span of each call, with its answer', async () => {
    const { guard, spans } = createGuardWorld();
    const records: RuntimeRecords = {
      take: async () => undefined,
      markRemoved: async () => ({ status: 'vanished' }),
    };
    expect(await guardRecords(records, guard).take('g')).toBeUndefined();
    expect(spans().map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      {
        name: 'take runtime_records',
        attributes: {
          'db.system.name': 'postgresql',
          'db.collection.name': 'runtime_records',
          'db.operation.name': 'take',
          'rtmanager.game_id': 'g',
          'rtmanager.record.status': 'missing',
        },
      },
    ]);
  });
});

describe('a nested span', () => {
  it('the span of a call is a child of the surrounding span', async () => {
    const { guard, spans } = createGuardWorld();
    const store: LeaseStore = { acquire: async () => true, renew: async () => true, release: async () => true };
    await guard.tracer.startActiveSpan('work', async (parent) => {
      await guardLeaseStore(store, 'redis', guard).acquire('g', 't', 60);
      parent.end();
    });
    const [child, parent] = spans();
    expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    expect(child?.spanContext().traceId).toBe(parent?.spanContext().traceId);
  });
});
