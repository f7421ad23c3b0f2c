import { context, metrics, trace } from '@opentelemetry/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ContainerEngine, RuntimeRecords } from '../../../src/cleanup/ports.js';
import { systemClock } from '../../../src/async/clock.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import type { Log } from '../../../src/telemetry/logger.js';
import { createBreaker } from '../../../src/circuit-breaker/breaker.js';
import { guardEngine } from '../../../src/telemetry/guarded-ports/guard-engine.js';
import { guardLeaseStore } from '../../../src/telemetry/guarded-ports/guard-lease-store.js';
import { guardRecords } from '../../../src/telemetry/guarded-ports/guard-records.js';
import { startTelemetry } from '../../../src/telemetry/start-telemetry.js';
import { createTelemetry, type Telemetry } from '../../../src/telemetry/metrics.js';
import { startCollector } from '../../support/telemetry-collector.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  vi.unstubAllEnvs();
});

/** Longer than a first export takes on a busy machine; the tests of a failing collector wait for less. */
const DELIVERY_LIMIT_MS = 10_000;
const SHORT_LIMIT_MS = 500;

async function setup(environment: Readonly<Record<string, string>>, shutdownLimitMs = DELIVERY_LIMIT_MS) {
  for (const [name, text] of Object.entries(environment)) vi.stubEnv(name, text);
  const lines: { fields: Readonly<Record<string, unknown>>; message: string }[] = [];
  const keep = (fields: Readonly<Record<string, unknown>>, message: string) => void lines.push({ fields, message });
  const log: Log = { debug: () => {}, info: keep, warn: keep, error: keep };
  const running = await startTelemetry({
    environment: process.env,
    log,
    clock: systemClock,
    version: '1.2.3',
    shutdownLimitMs,
  });
  cleanups.push(running.shutdown);
  return { telemetry: createTelemetry(systemClock), running, lines };
}

async function collector(options: Parameters<typeof startCollector>[0] = {}) {
  const started = await startCollector(options);
  cleanups.push(started.stop);
  return started;
}

/** One piece of work that calls each of the three guarded ports. */
async function cleanUp(telemetry: Telemetry): Promise<string> {
  const store: LeaseStore = { acquire: async () => true, renew: async () => true, release: async () => true };
  const engine: ContainerEngine = {
    look: async () => ({ kind: 'gone' }),
    remove: async () => ({ kind: 'gone', ours: true }),
    labelled: async () => [],
  };
  const records: RuntimeRecords = {
    take: async () => undefined,
    markRemoved: async () => ({ status: 'vanished' }),
  };
  const report = { opened: () => {}, stillOpen: () => {}, closed: () => {} };
  const guard = { ...telemetry, breaker: createBreaker({ clock: systemClock, report }) };
  return telemetry.tracer.startActiveSpan('process runtime-cleanup', async (span) => {
    const { signal } = new AbortController();
    await guardLeaseStore(store, 'redis', guard).acquire('g', 't', 1_000);
    await guardRecords(records, guard).take('g');
    await guardEngine(engine, guard).remove('c'.repeat(64), signal);
    telemetry.metrics.recordCleanup({
      outcome: 'success',
      errorCode: '',
      opSource: 'admin_rest',
      elapsedMs: 12,
      removal: 'removed',
      engine: 'default',
    });
    span.end();
    return span.spanContext().traceId;
  });
}

describe('telemetry with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('telemetry sends one trace of all guarded ports and the metrics to the collector, at shutdown at the latest', async () => {
    const { url, spans, metricNames, resources } = await collector();
    const { telemetry, running } = await setup({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const traceId = await cleanUp(telemetry);
    await running.shutdown();

    expect(spans().map(({ name }) => name)).toEqual([
      'lease acquire',
      'take runtime_records',
      'container remove',
      'process runtime-cleanup',
    ]);
    expect(new Set(spans().map((span) => span.traceId))).toEqual(new Set([traceId]));
    const parent = spans().at(-1);
    const children = spans().slice(0, -1);
    expect(new Set(children.map((span) => span.parentSpanId))).toEqual(new Set([parent?.spanId]));
    expect(metricNames().sort((a, b) => a.localeCompare(b))).toEqual([
      'rtmanager.cleanup.duration',
      'rtmanager.cleanup.outcomes',
      'rtmanager.cleanup.removals',
      'rtmanager.docker.remove.duration',
      'rtmanager.lease.acquire.duration',
    ]);
    for (const resource of resources()) {
      expect(resource).toMatchObject({ 'service.name': 'runtime-cleanup', 'service.version': '1.2.3' });
      expect(Object.keys(resource)).toContain('service.instance.id');
      expect(Object.keys(resource)).not.toContain('process.command_args');
    }
  });

  it('telemetry sends protobuf by default, as the standard says', async () => {
    const { url, received } = await collector();
    const { telemetry, running } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await cleanUp(telemetry);
    await running.shutdown();
    expect(received.map(({ path }) => path).sort((a, b) => a.localeCompare(b))).toEqual(['/v1/metrics', '/v1/traces']);
    expect(new Set(received.map(({ contentType }) => contentType))).toEqual(new Set(['application/x-protobuf']));
    expect(received.every(({ body }) => body.includes('runtime-cleanup'))).toBe(true);
  });

  it('telemetry has the service name of OTEL_SERVICE_NAME', async () => {
    const { url, resources } = await collector();
    const { telemetry, running } = await setup({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'cleanup-eu',
    });
    await cleanUp(telemetry);
    await running.shutdown();
    expect(new Set(resources().map((resource) => resource['service.name']))).toEqual(new Set(['cleanup-eu']));
  });

  it('telemetry does not send a signal that is switched off', async () => {
    const { url, received } = await collector();
    const { telemetry, running } = await setup({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_METRICS_EXPORTER: 'none',
    });
    await cleanUp(telemetry);
    await running.shutdown();
    expect(received.map(({ path }) => path)).toEqual(['/v1/traces']);
  });
});

describe('a collector', () => {
  it('a collector that cannot be reached neither affects the work nor fills the log', async () => {
    const gone = await startCollector();
    await gone.stop();
    const { telemetry, running, lines } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: gone.url }, SHORT_LIMIT_MS);
    for (let n = 0; n < 50; n++) await cleanUp(telemetry);
    await running.shutdown();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(3);
  });

  it('a collector that refuses neither affects the work nor fills the log', async () => {
    const { url } = await collector({ answer: 400 });
    const { telemetry, running, lines } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, SHORT_LIMIT_MS);
    await cleanUp(telemetry);
    await running.shutdown();
    expect(lines.map(({ message }) => message)).toContain('telemetry trouble');
    expect(lines.length).toBeLessThanOrEqual(3);
  });

  it('a collector that never answers does not keep the process from ending', async () => {
    const { url } = await collector({ answer: 'never' });
    const { telemetry, running, lines } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, SHORT_LIMIT_MS);
    await cleanUp(telemetry);
    const startedMs = systemClock.monotonicMs();
    await running.shutdown();
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(3_000);
    expect(lines.map(({ message }) => message)).toContain('telemetry not fully sent');
  });

  it('a collector whose address is not valid is logged once, and does not affect the work', async () => {
    const { telemetry, lines } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: 'not an address' }, SHORT_LIMIT_MS);
    await cleanUp(telemetry);
    expect(lines).toEqual([
      {
        message: 'telemetry trouble',
        fields: { left_out: 0, detail: expect.stringContaining("'not an address'") as unknown },
      },
    ]);
  });
});

describe('telemetry without any OTEL_* variable', () => {
  it('telemetry without any OTEL_* variable records nothing', async () => {
    const { telemetry } = await setup({});
    const traceId = await cleanUp(telemetry);
    expect(traceId).toBe('0'.repeat(32));
    expect(telemetry.tracer.startSpan('x').isRecording()).toBe(false);
  });

  it('telemetry records nothing after a shutdown', async () => {
    const { url } = await collector();
    const { running } = await setup({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await running.shutdown();
    await running.shutdown();
    expect(trace.getTracer('x').startSpan('x').isRecording()).toBe(false);
    expect(metrics.setGlobalMeterProvider(metrics.getMeterProvider())).toBe(true);
    metrics.disable();
    expect(context.active()).toBeDefined();
  });
});
