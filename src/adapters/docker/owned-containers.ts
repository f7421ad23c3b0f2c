/** The containers that carry the label of this service; for the audit, which never removes one. */
import type Docker from 'dockerode';
import type { OwnedContainer } from '../../audit/audit-ports.js';
import type { Clock } from '../../async/clock.js';
import { withDeadline } from '../../async/deadline.js';
import { TimeoutError, UnavailableError } from '../../domain/errors.js';
import { isFullContainerId } from '../../domain/runtime-record.js';
import { readFailure } from './classify-failure.js';
import { GAME_LABEL } from './container-state.js';
import { fieldsOf } from './fields.js';

const OWNER_LABEL = 'com.galaxy.owner';
const OWNER = 'rtmanager';

interface Deps {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * In any state, all in one answer: Docker's API has no pages. `gameId` narrows them to one game. Rejects with
 * `UnavailableError` when the engine does not answer in time, and with the signal's reason on abort.
 */
export async function ownedContainers(
  { docker, clock, timeoutMs }: Deps,
  gameId: string | null,
  signal: AbortSignal,
): Promise<readonly OwnedContainer[]> {
  const label = [`${OWNER_LABEL}=${OWNER}`, ...(gameId === null ? [] : [`${GAME_LABEL}=${gameId}`])];
  const late = () => new TimeoutError('no answer', timeoutMs, { dependency: 'docker' });
  let body: unknown;
  try {
    body = await withDeadline({ clock, limitMs: timeoutMs, late, signal }, (abortSignal) =>
      docker.listContainers({ all: true, filters: { label }, abortSignal }),
    );
  } catch (cause) {
    signal.throwIfAborted();
    const { text } = readFailure(cause);
    throw new UnavailableError('docker', `cannot list the containers with the label ${OWNER_LABEL}: ${text}`, {
      cause,
    });
  }
  const owned = readOwned(gameId, body);
  if (owned !== undefined) return owned;
  throw new UnavailableError('docker', 'cannot list the containers: the answer is not as an engine writes it');
}

/** The engine's filter is not relied on. Undefined: the answer is not as the engine writes it. */
export function readOwned(gameId: string | null, body: unknown): readonly OwnedContainer[] | undefined {
  if (!Array.isArray(body)) return undefined;
  const owned: OwnedContainer[] = [];
  for (const entry of body) {
    const { Id: containerId, State: status, Labels } = fieldsOf(entry);
    if (typeof containerId !== 'string' || !isFullContainerId(containerId) || typeof status !== 'string') {
      return undefined;
    }
    const labels = new Map(Object.entries(fieldsOf(Labels)));
    const gameLabel = labels.get(GAME_LABEL);
    if (labels.get(OWNER_LABEL) !== OWNER || (gameId !== null && gameLabel !== gameId)) continue;
    owned.push({ containerId, gameLabel: typeof gameLabel === 'string' ? gameLabel : null, status });
  }
  return owned;
}
