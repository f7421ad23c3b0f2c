import { metrics } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LibraryChangedError } from '../../../../src/domain/errors.js';
import { addMetricReader } from '../../../../src/telemetry/patches/add-metric-reader.js';
import { createScraping } from '../../../../src/telemetry/start-telemetry.js';

interface PrivateFields {
  readonly _meterProviderConfig: { readonly readers: readonly object[] };
}

// The cast: the field is private.
const readersOf = (sdk: NodeSDK) => (sdk as unknown as PrivateFields)._meterProviderConfig.readers;

describe('addMetricReader', () => {
  beforeEach(() => vi.stubEnv('OTEL_METRICS_EXPORTER', 'console'));
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('the SDK without the patch has no option that keeps the readers from the environment', async () => {
    const { reader } = await createScraping();
    expect(readersOf(new NodeSDK({ metricReaders: [reader] }))).toEqual([reader]);
  });

  it('the patch adds a reader beside the one from the environment', async () => {
    const { reader } = await createScraping();
    const sdk = new NodeSDK({});
    addMetricReader(sdk, reader);
    expect(readersOf(sdk).map(({ constructor }) => constructor.name)).toEqual([
      'PeriodicExportingMetricReader',
      'PrometheusExporter',
    ]);
  });

  it('the patched SDK collects into both readers', async () => {
    const { reader, text } = await createScraping();
    const sdk = new NodeSDK({ spanProcessors: [], logRecordProcessors: [], resourceDetectors: [] });
    addMetricReader(sdk, reader);
    const printed = vi.spyOn(console, 'dir').mockImplementation(() => undefined);
    sdk.start();
    try {
      metrics.getMeter('test').createCounter('probes').add(1);
      expect(await text()).toContain('probes_total 1');
    } finally {
      // The reader from the environment prints its metrics at the end.
      await sdk.shutdown();
      metrics.disable();
    }
    expect(JSON.stringify(printed.mock.calls)).toContain('probes');
  });

  it.each([{}, { _meterProviderConfig: {} }, { _meterProviderConfig: { readers: 'none' } }])(
    'the patch refuses a library that keeps its readers elsewhere (%j)',
    (sdk) => {
      expect(() => addMetricReader(sdk, {})).toThrow(LibraryChangedError);
    },
  );
});
