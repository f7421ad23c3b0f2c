import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createChanges } from './changes.js';

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

interface OtlpMetric {
  readonly name: string;
}

interface OtlpGroup {
  readonly resource: {
    readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  };
  readonly scopeSpans?: readonly { readonly spans: readonly OtlpSpan[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly OtlpMetric[] }[];
}

interface OtlpBody {
  readonly resourceSpans?: readonly OtlpGroup[];
  readonly resourceMetrics?: readonly OtlpGroup[];
}

interface Received {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** An OTLP/HTTP collector on loopback that keeps what it gets; `answer` makes it misbehave. */
export async function startCollector({ answer = 200 }: { answer?: number | 'never' } = {}) {
  const received: Received[] = [];
  const changes = createChanges();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        contentType: request.headers['content-type'] ?? '',
        body: Buffer.concat(chunks),
      });
      changes.notify();
      if (answer !== 'never') response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const groups = () =>
    received
      .map(({ body }) => JSON.parse(body.toString()) as OtlpBody)
      .flatMap(({ resourceSpans, resourceMetrics }) => resourceSpans ?? resourceMetrics ?? []);

  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    /** The assertion is checked at each request. */
    until: changes.until,
    spans: () => groups().flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans }) => spans)),
    metricNames: () =>
      groups().flatMap(({ scopeMetrics = [] }) =>
        scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
      ),
    resources: () =>
      groups().map(({ resource }) =>
        Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue ?? ''])),
      ),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
