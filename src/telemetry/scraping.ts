import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';

/** A reader of the metrics that is asked instead of sending. */
export interface Scraping {
  readonly reader: PrometheusExporter;
  /** All metrics as they are now, in the text format of Prometheus. */
  readonly text: () => Promise<string>;
}

export function createScraping(): Scraping {
  // It would listen on a port of its own.
  const reader = new PrometheusExporter({ preventServerStart: true });
  // Without the resource, whose attributes are still being looked up when the first scrape comes, and which every scraper
  // adds by itself.
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  return {
    reader,
    text: async () => {
      // Errors are those of single gauges, which then are missing from the text; the rest of it stands.
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}
