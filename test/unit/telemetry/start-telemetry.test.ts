import { DiagLogLevel } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createDiagnostics, diagnosticsLevel } from '../../../src/telemetry/diagnostics.js';
import { startTelemetry, wantedSignals, type OtelEnvironment } from '../../../src/telemetry/start-telemetry.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordLog } from './recorded-telemetry.js';

describe('the signals of the OTEL_* variables', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  const cases: readonly (readonly [
    situation: string,
    environment: OtelEnvironment,
    wanted: { traces: boolean; metrics: boolean },
  ])[] = [
    ['no variable', {}, { traces: false, metrics: false }],
    ['only a service name', { OTEL_SERVICE_NAME: 'x' }, { traces: false, metrics: false }],
    ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, { traces: false, metrics: false }],
    ['an endpoint', endpoint, { traces: true, metrics: true }],
    ['an endpoint for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c' }, { traces: true, metrics: false }],
    ['an endpoint for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' }, { traces: false, metrics: true }],
    ['an exporter of traces', { OTEL_TRACES_EXPORTER: 'otlp' }, { traces: true, metrics: false }],
    ['an exporter of metrics', { OTEL_METRICS_EXPORTER: 'prometheus' }, { traces: false, metrics: true }],
    ['an endpoint, but no traces', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, { traces: false, metrics: true }],
    ['an endpoint, but disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, { traces: false, metrics: false }],
    ['an endpoint, not disabled', { ...endpoint, OTEL_SDK_DISABLED: 'false' }, { traces: true, metrics: true }],
  ];
  it.each(cases)('the signals follow from the environment: %s', (_situation, environment, wanted) => {
    expect(wantedSignals(environment)).toEqual(wanted);
  });

  it('no signal is started or shut down when no variable is set', async () => {
    const { log, lines } = recordLog();
    const running = await startTelemetry({ environment: {}, log, clock: createManualClock(), version: '1' });
    await running.shutdown();
    await running.shutdown();
    expect(lines).toEqual([]);
  });
});

describe('warnings of the exporters', () => {
  it('a warning is logged at most once a minute, with the number of suppressed ones', () => {
    const { log, lines } = recordLog();
    const clock = createManualClock();
    const diagnostics = createDiagnostics(log, clock);
    for (let n = 0; n < 100; n++) diagnostics.error('no answer from the collector');
    clock.skip(59_999);
    diagnostics.warn('no answer from the collector');
    clock.skip(1);
    diagnostics.error('still no answer');
    expect(lines).toEqual([
      ['warn', 'telemetry trouble', { detail: 'no answer from the collector', left_out: 0 }],
      ['warn', 'telemetry trouble', { detail: 'still no answer', left_out: 100 }],
    ]);
  });

  it('a warning is shortened to a readable length', () => {
    const { log, lines } = recordLog();
    createDiagnostics(log, createManualClock()).error('x'.repeat(1_000_000));
    expect(JSON.stringify(lines).length).toBeLessThan(2_000);
  });

  it('a warning is logged at the level of OTEL_LOG_LEVEL', () => {
    expect(['debug', ' ERROR ', 'none', 'loud', '', undefined].map(diagnosticsLevel)).toEqual([
      DiagLogLevel.DEBUG,
      DiagLogLevel.ERROR,
      DiagLogLevel.NONE,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
