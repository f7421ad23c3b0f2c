/**
 * Changes `_meterProviderConfig.readers` of OpenTelemetry's `NodeSDK`, a private field. Checked on @opentelemetry/sdk-node
 * 0.223.0. Remove this patch when an option of `NodeSDK` adds a reader to those from the environment; today `metricReaders`
 * replaces them.
 */
import { LibraryChangedError } from '../../domain/errors.js';

interface PrivateFields {
  readonly _meterProviderConfig?: { readonly readers?: unknown };
}

/** Adds a reader beside those that the SDK created from the environment; call it before `sdk.start()`. */
export function addMetricReader(sdk: object, reader: unknown): void {
  const { readers }: { readonly readers?: unknown } = (sdk as PrivateFields)._meterProviderConfig ?? {};
  if (!Array.isArray(readers)) throw new LibraryChangedError('@opentelemetry/sdk-node', '_meterProviderConfig.readers');
  readers.push(reader);
}
