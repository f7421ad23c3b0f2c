/** Endings that every operation under a game's lease has in common. */
import { messageOf, UnavailableError } from '../domain/errors.js';
import { failure, type Failure } from '../domain/result.js';
import type { LeaseEnding } from '../lease/with-lease.js';

/** @param whereItStopped for a lost lease: what the operation had changed by then */
export function withoutLease(
  ending: Exclude<LeaseEnding<unknown>, { readonly status: 'done' }>,
  whereItStopped = '',
): Failure {
  switch (ending.status) {
    case 'busy':
      return failure('conflict', 'another operation holds the lease of this game');
    case 'unavailable':
      return failure('service_unavailable', `the lease could not be acquired: ${messageOf(ending.cause)}`);
    case 'lost':
      return failure('lease_lost', `${ending.reason}${whereItStopped}`);
  }
}

export function faultOf(thrown: unknown): Failure {
  if (thrown instanceof UnavailableError) return failure('service_unavailable', thrown.message);
  return failure('internal_error', messageOf(thrown));
}

export const unknownEngine = (name: string): Failure =>
  failure(
    'service_unavailable',
    `no engine is named ${JSON.stringify(name)} here; give its address in RTMANAGER_DOCKER_HOSTS, or correct docker_host of the record`,
  );
