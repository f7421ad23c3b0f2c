/** The lease is not ours any more, or can no longer be trusted to be. The reason of an aborted `lease.signal`. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'lease_lost';

  constructor(
    readonly gameId: string,
    readonly reason: string,
  ) {
    super(`the lease of game ${JSON.stringify(gameId)} is lost: ${reason}`);
  }
}
