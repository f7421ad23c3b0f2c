/**
 * Stores leases. A lease is a key that names its holder's token for a limited time; only the store's own clock decides
 * when that time is over. Every member rejects with `UnavailableError` when the store cannot answer;
 * whether the request took effect is then unknown.
 */
export interface LeaseStore {
  /** Takes the lease when it is free or has run out; `false` means that another token holds it. */
  readonly acquire: (gameId: string, token: string, ttlMs: number) => Promise<boolean>;
  /** Starts the lease's life anew; `false` means that it ran out or another token holds it. */
  readonly renew: (gameId: string, token: string, ttlMs: number) => Promise<boolean>;
  /** Frees the lease; `false` means that this token does not hold it. */
  readonly release: (gameId: string, token: string) => Promise<boolean>;
}
