import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerEngine, RuntimeRecords } from '../../../src/cleanup/ports.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { observeEngine } from '../../../src/telemetry/traced-ports/engine.js';
import { observeLeaseStore } from '../../../src/telemetry/traced-ports/lease-store.js';
import { observeRecords } from '../../../src/telemetry/traced-ports/records.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

const ID = 'c'.repeat(64);
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setup() {
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  stops.push(recorded.stop);
  const after = async <Answer>(ms: number, answer: Answer): Promise<Answer> => {
    clock.skip(ms);
    return answer;
  };
  const away = async (): Promise<never> => {
    clock.skip(750);
    throw new UnavailableError('redis', 'the store is away');
  };
  return { ...recorded, clock, after, away };
}

describe('an observed lease store', () => {
  it('hands every argument on and every answer back, a span for each call', async () => {
    const { telemetry, spans } = setup();
    const calls: unknown[][] = [];
    const store: LeaseStore = {
      acquire: async (...args) => calls.push(args) > 0,
      renew: async (...args) => calls.push(args) === 0,
      release: async (...args) => calls.push(args) > 0,
    };
    const observed = observeLeaseStore(store, telemetry);
    expect([
      await observed.acquire('g', 't', 60),
      await observed.renew('g', 't', 70),
      await observed.release('g', 't'),
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

  it('measures how long an acquire took and how it ended, and nothing for renewals', async () => {
    const { telemetry, points, after, away } = setup();
    const store = (acquire: LeaseStore['acquire']): LeaseStore => ({
      acquire,
      renew: async () => true,
      release: async () => true,
    });
    await observeLeaseStore(
      store(() => after(250, true)),
      telemetry,
    ).acquire('g', 't', 60);
    await observeLeaseStore(
      store(() => after(500, false)),
      telemetry,
    ).acquire('g', 't', 60);
    await expect(observeLeaseStore(store(away), telemetry).acquire('g', 't', 60)).rejects.toThrow('the store is away');
    await observeLeaseStore(store(away), telemetry).renew('g', 't', 60);
    const measured = { instrument: 'rtmanager.lease.acquire.duration', unit: 's' };
    expect(await points()).toEqual([
      { ...measured, attributes: { outcome: 'acquired' }, value: 0.25 },
      { ...measured, attributes: { outcome: 'busy' }, value: 0.5 },
      { ...measured, attributes: { outcome: 'failed' }, value: 0.75 },
    ]);
  });

  it('records a rejection on the span, marks it, and passes the very same error on', async () => {
    const { telemetry, spans } = setup();
    const error = new UnavailableError('redis', 'the store is away');
    const rejecting = () => Promise.reject(error);
    const store: LeaseStore = { acquire: rejecting, renew: rejecting, release: rejecting };
    await expect(observeLeaseStore(store, telemetry).release('g', 't')).rejects.toBe(error);
    const [span] = spans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the store is away' });
    expect(span?.attributes).toMatchObject({ 'error.type': 'UnavailableError' });
    expect(span?.events.map(({ name }) => name)).toEqual(['exception']);
    expect(span?.ended).toBe(true);
  });

  it('keeps a token out of the span', async () => {
    const { telemetry, spans } = setup();
    const store: LeaseStore = { acquire: async () => true, renew: async () => true, release: async () => true };
    await observeLeaseStore(store, telemetry).acquire('g', 'the-secret-token', 60);
    expect(JSON.stringify(spans()[0]?.attributes)).not.toContain('the-secret-token');
  });
});

describe('an observed engine', () => {
  const engine = (changes: Partial<ContainerEngine>): ContainerEngine => ({
    look: async () => ({ kind: 'gone' }),
    remove: async () => ({ kind: 'gone' }),
    ...changes,
  });

  it('hands id and signal on and the answer back', async () => {
    const { telemetry } = setup();
    const calls: unknown[][] = [];
    const sighting = { kind: 'present', gameLabel: 'g', activity: 'idle', detail: 'exited' } as const;
    const observed = observeEngine(
      engine({
        look: async (...args) => {
          calls.push(args);
          return sighting;
        },
        remove: async (...args) => {
          calls.push(args);
          return { kind: 'gone' };
        },
      }),
      telemetry,
    );
    const { signal } = new AbortController();
    expect(await observed.look(ID, signal)).toBe(sighting);
    expect(await observed.remove(ID, signal)).toEqual({ kind: 'gone' });
    expect(calls).toEqual([
      [ID, signal],
      [ID, signal],
    ]);
  });

  it('names the container and what was seen on the span', async () => {
    const { telemetry, spans } = setup();
    const sighting = { kind: 'present', gameLabel: null, activity: 'paused', detail: 'paused' } as const;
    const observed = observeEngine(
      engine({ look: async () => sighting, remove: async () => ({ kind: 'still_there', sighting, detail: '409' }) }),
      telemetry,
    );
    const { signal } = new AbortController();
    await observed.look(ID, signal);
    await observed.remove(ID, signal);
    expect(spans().map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      { name: 'container look', attributes: { 'container.id': ID, 'rtmanager.container.activity': 'paused' } },
      { name: 'container remove', attributes: { 'container.id': ID, 'rtmanager.container.removal': 'still_there' } },
    ]);
  });

  it('measures how long a removal took and how it ended', async () => {
    const { telemetry, points, after, away } = setup();
    const { signal } = new AbortController();
    const removed = engine({ remove: () => after(1_500, { kind: 'gone' }) });
    await observeEngine(removed, telemetry).remove(ID, signal);
    await expect(observeEngine(engine({ remove: away }), telemetry).remove(ID, signal)).rejects.toThrow('away');
    const measured = { instrument: 'rtmanager.docker.remove.duration', unit: 's' };
    expect(await points()).toEqual([
      { ...measured, attributes: { outcome: 'gone' }, value: 1.5 },
      { ...measured, attributes: { outcome: 'failed' }, value: 0.75 },
    ]);
  });
});

describe('observed records', () => {
  it('have a span for each call, named as database spans are, that tells the answer', async () => {
    const { telemetry, spans } = setup();
    const records: RuntimeRecords = {
      take: async () => undefined,
      markRemoved: async () => ({ status: 'vanished' }),
    };
    expect(await observeRecords(records, telemetry).take('g')).toBeUndefined();
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

describe('spans of one piece of work', () => {
  it('are children of the span around them', async () => {
    const { telemetry, spans } = setup();
    const store: LeaseStore = { acquire: async () => true, renew: async () => true, release: async () => true };
    await telemetry.tracer.startActiveSpan('work', async (parent) => {
      await observeLeaseStore(store, telemetry).acquire('g', 't', 60);
      parent.end();
    });
    const [child, parent] = spans();
    expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    expect(child?.spanContext().traceId).toBe(parent?.spanContext().traceId);
  });
});
