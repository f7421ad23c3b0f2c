import { context, diag, DiagLogLevel, metrics, propagation, trace } from '@opentelemetry/api';
import type { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { Clock } from '../async/clock.js';
import { createDiagnostics, diagnosticsLevel } from './diagnostics.js';
import type { Log } from './logger.js';
import { addMetricReader } from './patches/add-metric-reader.js';

export type OtelEnvironment = Readonly<Record<string, string | undefined>>;

export interface RunningTelemetry {
  /** All metrics in the text format of Prometheus; undefined unless `scraped` was asked for. */
  readonly metricsText?: () => Promise<string>;
  /** Sends the buffered telemetry, for a few seconds at most; never rejects. A second call does nothing. */
  readonly shutdown: () => Promise<void>;
}

export interface TelemetryOptions {
  /** Only decides what is started: OpenTelemetry's own packages read the same variables from the process. */
  readonly environment: OtelEnvironment;
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  /** Keeps metrics to be read, also when the environment asks for no exporter. */
  readonly scraped?: boolean;
  /** The time limit of `shutdown`: a collector that does not answer must not keep the process from ending. */
  readonly shutdownLimitMs?: number;
}

const NOTHING_STARTED: RunningTelemetry = { shutdown: async () => {} };

/**
 * Starts exporting what the standard `OTEL_*` variables ask for; without them nothing is loaded, started or sent. Must
 * be called before the first tracer or meter is asked for. A failure of telemetry is logged and never rejects.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const { environment, log, version, scraped = false } = options;
  const wanted = wantedSignals(environment);
  if (!wanted.traces && !wanted.metrics && !scraped) return NOTHING_STARTED;
  try {
    const useOurDiagnostics = diagnosticsOf(options);
    useOurDiagnostics();
    const scraping = scraped ? await createScraping() : undefined;
    if (scraping !== undefined && !wanted.traces && !wanted.metrics) return await startScraping(scraping, options);
    const { NodeSDK, resources } = await import('@opentelemetry/sdk-node');
    const sdk = new NodeSDK({
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are read by the env detector and win over these.
      resource: resources
        .defaultResource()
        .merge(resources.resourceFromAttributes({ 'service.name': 'runtime-cleanup', 'service.version': version })),
      // The SDK's default also publishes the command line, which may hold secrets.
      ...(isSet(environment['OTEL_NODE_RESOURCE_DETECTORS'])
        ? {}
        : {
            resourceDetectors: [resources.envDetector, resources.hostDetector, resources.serviceInstanceIdDetector],
          }),
      // Without these, the SDK makes each from the environment, and its default is to send to localhost.
      ...(wanted.traces ? {} : { spanProcessors: [] }),
      ...(wanted.metrics ? {} : { metricReaders: scraping === undefined ? [] : [scraping.reader] }),
      logRecordProcessors: [],
    });
    // Again: with OTEL_LOG_LEVEL set, the SDK has just installed a console logger, which writes among a command's results.
    useOurDiagnostics();
    if (wanted.metrics && scraping !== undefined) addMetricReader(sdk, scraping.reader);
    sdk.start();
    const shutdown = once(() => stop(sdk, options));
    return scraping === undefined ? { shutdown } : { shutdown, metricsText: scraping.text };
  } catch (thrown) {
    log.error({ err: thrown }, 'telemetry not started');
    return NOTHING_STARTED;
  }
}

/** Without the SDK for Node, which loads an exporter for each protocol that may be asked for: a third of the start. */
async function startScraping({ reader, text }: Scraping, options: TelemetryOptions): Promise<RunningTelemetry> {
  const { MeterProvider } = await import('@opentelemetry/sdk-metrics');
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return { shutdown: once(() => stop(provider, options)), metricsText: text };
}

/** A reader of the metrics that is asked, instead of sending. */
interface Scraping {
  readonly reader: PrometheusExporter;
  /** All metrics at this moment, in the text format of Prometheus. */
  readonly text: () => Promise<string>;
}

/** Loads the exporter only here: the commands that nothing scrapes start faster without it. */
export async function createScraping(): Promise<Scraping> {
  const { PrometheusExporter, PrometheusSerializer } = await import('@opentelemetry/exporter-prometheus');
  // By default the exporter listens on a port of its own.
  const reader = new PrometheusExporter({ preventServerStart: true });
  // Without the resource: its attributes are still being looked up at the first scrape, and every scraper adds its own.
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  return {
    reader,
    text: async () => {
      // The errors are those of single gauges, which are then missing from the text; the other metrics are complete.
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** Which signals the environment asks for, by an exporter or by an endpoint. */
export function wantedSignals(environment: OtelEnvironment): { readonly traces: boolean; readonly metrics: boolean } {
  const isWanted = (signal: 'TRACES' | 'METRICS') => {
    const exporter = environment[`OTEL_${signal}_EXPORTER`];
    if (isSet(exporter)) return exporter?.trim() !== 'none';
    return (
      isSet(environment['OTEL_EXPORTER_OTLP_ENDPOINT']) || isSet(environment[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`])
    );
  };
  const isDisabled = environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';
  return { traces: !isDisabled && isWanted('TRACES'), metrics: !isDisabled && isWanted('METRICS') };
}

const isSet = (text: string | undefined): boolean => text !== undefined && text.trim() !== '';

function diagnosticsOf({ log, clock, environment }: TelemetryOptions): () => void {
  const diagnostics = createDiagnostics(log, clock);
  const logLevel = diagnosticsLevel(environment['OTEL_LOG_LEVEL']) ?? DiagLogLevel.WARN;
  return () => void diag.setLogger(diagnostics, { logLevel, suppressOverrideMessage: true });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}

async function stop(
  sdk: { readonly shutdown: () => Promise<void> },
  { log, clock, shutdownLimitMs = 5_000 }: TelemetryOptions,
): Promise<void> {
  const sent = sdk.shutdown().then(
    () => 'sent' as const,
    (thrown: unknown) => thrown,
  );
  const limit = new Promise<'late'>((resolve) => clock.after(shutdownLimitMs, () => resolve('late')));
  const ending = await Promise.race([sent, limit]);
  if (ending !== 'sent') log.warn(ending === 'late' ? {} : { err: ending }, 'telemetry not fully sent');
  for (const api of [trace, metrics, context, propagation, diag]) api.disable();
}
