export const RUNTIME_STATUSES = ['running', 'stopped', 'removed'] as const;
export type RuntimeStatus = (typeof RUNTIME_STATUSES)[number];

/** The stored state of one game's runtime: a row of `runtime_records`. Other services write these rows, too. */
export interface RuntimeRecord {
  readonly gameId: string;
  /** A `RuntimeStatus`, or a word this version does not know. */
  readonly status: string;
  readonly currentContainerId: string | null;
  readonly currentImageRef: string | null;
  readonly engineEndpoint: string;
  readonly statePath: string;
  readonly dockerNetwork: string;
  readonly startedAt: Date | null;
  readonly stoppedAt: Date | null;
  readonly removedAt: Date | null;
  readonly lastOpAt: Date;
  readonly createdAt: Date;
  /** The fence: raised when the record is taken under a lease, checked by the compare-and-set. */
  readonly leaseEpoch: bigint;
  /** The name of the engine that owns the container; null: the default engine. */
  readonly dockerHost: string | null;
}

/** The engine at `DOCKER_HOST`. */
export const DEFAULT_ENGINE = 'default';

/** The name of the engine that owns the record's container. Other services may write an empty text for "none". */
export function engineOf({ dockerHost }: Pick<RuntimeRecord, 'dockerHost'>): string {
  const name = dockerHost?.trim() ?? '';
  return name === '' ? DEFAULT_ENGINE : name;
}

/** A full container id: 64 lower-case hex digits. Anything shorter, and any name, may resolve to another container. */
export function isFullContainerId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
