/**
 * Reads the engine's description of a container. A description that is not as the engine writes it is reported as
 * malformed: a container whose identity or state cannot be read for certain is never treated as removable or as gone.
 */
import type { ContainerActivity, ContainerState, LabelledContainer } from '../../cleanup/ports.js';
import { isFullContainerId } from '../../domain/runtime-record.js';
import { type Fields, fieldsOf, isFields } from './fields.js';

export interface MalformedDescription {
  readonly kind: 'malformed';
  readonly why: string;
}

export const GAME_LABEL = 'com.galaxy.game_id';

/** @param body the parsed answer to `GET /containers/{containerId}/json` */
export function readContainerState(containerId: string, body: unknown): ContainerState | MalformedDescription {
  if (!isFields(body) || typeof body['Id'] !== 'string') return malformed('it has no Id');
  if (body['Id'] !== containerId) return readOther(containerId, body);

  const gameLabel = readGameLabel(body['Config']);
  if (typeof gameLabel === 'object' && gameLabel !== null) return gameLabel;
  const state = body['State'];
  if (!isFields(state)) return malformed('it has no State');
  return { kind: 'present', gameLabel, activity: readActivity(state, body['HostConfig']), detail: readDetail(state) };
}

/**
 * The engine looks for an exact id first and for a name second. So another id means that ours is gone and that a
 * container was given our id as its name. Every other answer does not answer our question.
 */
function readOther(containerId: string, body: Fields): ContainerState | MalformedDescription {
  const name = body['Name'];
  const isNamesake = name === `/${containerId}` || name === containerId;
  return isNamesake ? { kind: 'gone' } : malformed('it describes another container');
}

function readGameLabel(config: unknown): string | null | MalformedDescription {
  // A container without labels has an empty or null list; no Config at all says nothing about labels.
  if (!isFields(config)) return malformed('it has no Config');
  const labels = config['Labels'] ?? {};
  if (!isFields(labels)) return malformed('its labels are no map');
  // An own property: a name as `constructor` must not be found on the prototype.
  const label = Object.hasOwn(labels, GAME_LABEL) ? labels[GAME_LABEL] : null;
  return typeof label === 'string' || label === null ? label : malformed(`its ${GAME_LABEL} label is no text`);
}

/** The flags come before the word: the engine itself refuses a removal by them, and the stricter reading wins. */
function readActivity(state: Fields, hostConfig: unknown): ContainerActivity {
  if (state['Paused'] === true) return 'paused';
  if (state['Restarting'] === true) return 'restarting';
  if (state['Running'] === true) return 'running';
  switch (state['Status']) {
    case 'created':
    case 'exited':
    case 'dead':
    // Podman's word for created.
    case 'configured':
      return 'idle';
    // Podman: ended, but not yet `exited`. A container that is about to be started again has the same word there.
    case 'stopped':
      return isRestarted(hostConfig) ? 'restarting' : 'idle';
    case 'running':
    // Podman: asked to stop, but has not stopped yet.
    case 'stopping':
      return 'running';
    case 'paused':
      return 'paused';
    case 'restarting':
      return 'restarting';
    case 'removing':
      return 'removing';
    default:
      return 'unknown';
  }
}

function isRestarted(hostConfig: unknown): boolean {
  const policy = isFields(hostConfig) ? hostConfig['RestartPolicy'] : undefined;
  const name = isFields(policy) ? policy['Name'] : undefined;
  return name === 'always' || name === 'unless-stopped' || name === 'on-failure';
}

function readDetail(state: Fields): string {
  const status = typeof state['Status'] === 'string' && state['Status'] !== '' ? state['Status'] : 'no status';
  const error = state['Error'];
  return typeof error === 'string' && error !== '' ? `${status}: ${error}` : status;
}

/**
 * The containers of `GET /containers/json` that carry the game's label: the engine's filter is not relied on. Undefined:
 * the answer is not as the engine writes it.
 */
export function readLabelled(gameId: string, body: unknown): readonly LabelledContainer[] | undefined {
  if (!Array.isArray(body)) return undefined;
  const found: LabelledContainer[] = [];
  for (const entry of body) {
    const { Id: containerId, State: status, Labels: labels } = fieldsOf(entry);
    if (typeof containerId !== 'string' || !isFullContainerId(containerId) || typeof status !== 'string')
      return undefined;
    if (!isFields(labels) || !Object.hasOwn(labels, GAME_LABEL) || labels[GAME_LABEL] !== gameId) continue;
    found.push({ containerId, status, isActive: ACTIVE.has(status.toLowerCase()) });
  }
  return found;
}

const ACTIVE = new Set(['running', 'paused', 'restarting', 'stopping']);

function malformed(why: string): MalformedDescription {
  return { kind: 'malformed', why };
}
