/** The things outside this process that a cleanup depends on. */
export type Dependency = 'docker' | 'postgresql' | 'redis' | 'queue';

/**
 * A dependency is out of reach, timed out, or said that it cannot serve now. The answer to a request that was under way
 * is unknown. Adapters throw it; every other exception counts as a bug.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly code = 'service_unavailable';

  constructor(
    readonly dependency: Dependency,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Settings or collaborators that cannot work together; thrown while the program is put together, never later. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The text of anything thrown, for messages and logs. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  return String(thrown);
}
