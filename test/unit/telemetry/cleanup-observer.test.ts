import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import { createCleanupObserver } from '../../../src/telemetry/cleanup-observer.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

function setup() {
  const recorded = recordTelemetry(createManualClock());
  const lines: unknown[] = [];
  const log = createLogger({
    level: 'info',
    name: 'runtime-cleanup',
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  return { ...recorded, lines, observer: createCleanupObserver({ log, metrics: recorded.telemetry.metrics }) };
}

function entry(changes: Partial<OperationEntry> = {}): OperationEntry {
  return {
    gameId: 'game-1',
    opKind: 'cleanup_container',
    opSource: 'admin_rest',
    sourceRef: 'req-7',
    imageRef: 'image:1',
    containerId: 'c'.repeat(64),
    outcome: 'success',
    errorCode: '',
    errorMessage: '',
    elapsedMs: 1_234.5,
    jobId: '42',
    attempt: 2,
    removal: 'removed',
    engine: 'default',
    actor: '',
    ...changes,
  };
}

const refusals: readonly ErrorCode[] = [
  'invalid_request',
  'not_found',
  'container_mismatch',
  'conflict',
  'engine_mismatch',
];
const failures: readonly ErrorCode[] = ['lease_lost', 'service_unavailable', 'internal_error'];

describe('the log line of an outcome', () => {
  it('a log line contains the facts of the row in the operation log', () => {
    const { observer, lines } = setup();
    observer.concluded(entry());
    expect(lines).toMatchObject([
      {
        level: 'info',
        msg: 'cleanup succeeded',
        job_id: '42',
        attempt: 2,
        game_id: 'game-1',
        container_id: 'c'.repeat(64),
        op_source: 'admin_rest',
        source_ref: 'req-7',
        error_code: '',
        error_message: '',
        removal: 'removed',
        engine: 'default',
        duration_ms: 1_235,
      },
    ]);
  });

  it('a replay has another message than a first success', () => {
    const { observer, lines } = setup();
    observer.concluded(entry({ errorCode: 'replay_no_op' }));
    expect(lines).toMatchObject([{ level: 'info', msg: 'cleanup replayed', error_code: 'replay_no_op' }]);
  });

  it.each(refusals)('a result with the code %s has the message of a refusal', (errorCode) => {
    const { observer, lines } = setup();
    observer.concluded(entry({ outcome: 'failure', errorCode, errorMessage: 'why' }));
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'cleanup refused', error_code: errorCode, error_message: 'why' },
    ]);
  });

  it.each(failures)('a result with the code %s has the message of a failure', (errorCode) => {
    const { observer, lines } = setup();
    observer.concluded(entry({ outcome: 'failure', errorCode }));
    expect(lines).toMatchObject([{ level: 'error', msg: 'cleanup failed', error_code: errorCode }]);
  });

  it('a bug is logged with its stack, and an outage only with its message', () => {
    const { observer, lines } = setup();
    observer.concluded(entry({ outcome: 'failure', errorCode: 'internal_error' }), new TypeError('x is no function'));
    observer.concluded(entry({ outcome: 'failure', errorCode: 'service_unavailable' }), new Error('no answer'));
    expect(lines[0]).toMatchObject({ err: { type: 'TypeError', stack: expect.stringContaining('x is no function') } });
    expect(lines[1]).not.toHaveProperty('err');
  });

  it('a log line stays short when a refused request has very long fields', () => {
    const { observer, lines } = setup();
    observer.concluded(entry({ gameId: 'g'.repeat(100_000), opSource: 'o'.repeat(100_000) }));
    expect(JSON.stringify(lines).length).toBeLessThan(2_000);
  });
});

describe('the metrics of an outcome', () => {
  it('an outcome is counted by outcome, code and source, and measured in seconds', async () => {
    const { observer, points } = setup();
    observer.concluded(entry());
    observer.concluded(entry());
    observer.concluded(
      entry({ outcome: 'failure', errorCode: 'conflict', opSource: 'auto_ttl', elapsedMs: 500, removal: '' }),
    );
    const success = { outcome: 'success', error_code: '', op_source: 'admin_rest' };
    const conflict = { outcome: 'failure', error_code: 'conflict', op_source: 'auto_ttl' };
    expect(await points()).toEqual([
      { instrument: 'rtmanager.cleanup.outcomes', unit: '{operation}', attributes: success, value: 2 },
      { instrument: 'rtmanager.cleanup.outcomes', unit: '{operation}', attributes: conflict, value: 1 },
      { instrument: 'rtmanager.cleanup.duration', unit: 's', attributes: success, value: 2.469 },
      { instrument: 'rtmanager.cleanup.duration', unit: 's', attributes: conflict, value: 0.5 },
      {
        instrument: 'rtmanager.cleanup.removals',
        unit: '{container}',
        attributes: { removal: 'removed', engine: 'default' },
        value: 2,
      },
    ]);
  });

  it('unknown sources are counted as the one source "unknown"', async () => {
    const { observer, points } = setup();
    for (let n = 0; n < 50; n++) {
      observer.concluded(entry({ outcome: 'failure', errorCode: 'invalid_request', opSource: `invented-${n}` }));
    }
    const outcomes = (await points()).filter(({ instrument }) => instrument === 'rtmanager.cleanup.outcomes');
    expect(outcomes).toMatchObject([{ attributes: { op_source: 'unknown' }, value: 50 }]);
  });
});

describe('the span of the job', () => {
  it('the span of a failed job is marked as failed with the code', () => {
    const { observer, telemetry, spans } = setup();
    telemetry.tracer.startActiveSpan('process runtime-cleanup', (span) => {
      observer.concluded(
        entry({ outcome: 'failure', errorCode: 'service_unavailable', errorMessage: 'no answer from the engine' }),
      );
      span.end();
    });
    expect(spans()[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no answer from the engine' });
    expect(spans()[0]?.attributes).toMatchObject({
      'error.type': 'service_unavailable',
      'rtmanager.error_code': 'service_unavailable',
      'rtmanager.game_id': 'game-1',
    });
  });

  it('the span of a successful job is not marked as failed', () => {
    const { observer, telemetry, spans } = setup();
    telemetry.tracer.startActiveSpan('process runtime-cleanup', (span) => {
      observer.concluded(entry());
      span.end();
    });
    expect(spans()[0]?.status.code).toBe(SpanStatusCode.UNSET);
    expect(spans()[0]?.attributes).toMatchObject({ 'rtmanager.outcome': 'success' });
  });
});

describe('a side error', () => {
  it('a lost row of a refusal is logged with the facts of the row', () => {
    const { observer, lines } = setup();
    observer.auditRowLost(entry({ outcome: 'failure', errorCode: 'conflict' }), new TypeError('no disk'));
    expect(lines).toMatchObject([
      { level: 'error', msg: 'operation log row lost', game_id: 'game-1', err: { message: 'no disk' } },
    ]);
  });

  it('a failed release of a lease is logged', () => {
    const { observer, lines } = setup();
    observer.leaseReleaseFailed('game-1', new TypeError('no answer from the store'));
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'lease release failed', game_id: 'game-1', err: { message: 'no answer from the store' } },
    ]);
  });
});
