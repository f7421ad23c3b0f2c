/**
 * The container engine over Docker's API, which Podman offers too. The engine reads a given text as an id, a name or a
 * prefix of an id, and has no conditional removal. Hence only full ids are sent, the `Id` of the body is compared, and
 * `force`, which would kill a running container, is never set.
 */
import type Docker from 'dockerode';
import type { ContainerEngine, ContainerState, LabelledContainer, RemovalAnswer } from '../../cleanup/ports.js';
import type { Clock } from '../../async/clock.js';
import {
  UnavailableError,
  messageOf,
  EngineProtocolError,
  EngineRefusalError,
  InvalidArgumentError,
  TimeoutError,
} from '../../domain/errors.js';
import { isFullContainerId } from '../../domain/runtime-record.js';
import { type EngineCall, type Verdict, classify, isEnginesOwn, readFailure } from './classify-failure.js';
import { GAME_LABEL, readContainerState, readLabelled } from './container-state.js';
import { withDeadline } from '../../async/deadline.js';

export interface ContainerEngineDeps {
  readonly docker: Docker;
  readonly clock: Clock;
  /** For each request to the engine; a removal whose answer was lost takes two. */
  readonly timeoutMs: number;
}

type Answer =
  | { readonly verdict: 'done'; readonly body: unknown }
  | {
      readonly verdict: Verdict;
      /** The engine itself has answered. */
      readonly answered: boolean;
      readonly detail: string;
      readonly cause: unknown;
    };

/** Sends one request to the engine and classifies what came of it. */
type Ask = (
  call: EngineCall,
  containerId: string,
  signal: AbortSignal,
  request: (abortSignal: AbortSignal) => Promise<unknown>,
) => Promise<Answer>;

/** Every request goes through here: its own deadline, the caller's signal, one classification. */
function createAsk({ clock, timeoutMs }: Omit<ContainerEngineDeps, 'docker'>): Ask {
  const late = () => new TimeoutError('no answer', timeoutMs, { dependency: 'docker' });
  return async (call, containerId, signal, request) => {
    try {
      return { verdict: 'done', body: await withDeadline({ clock, limitMs: timeoutMs, late, signal }, request) };
    } catch (cause) {
      signal.throwIfAborted();
      const failure = readFailure(cause);
      const said = classify(call, failure);
      const verdict = said === 'gone' && namesOther(containerId, failure.text) ? NOT_OURS[call] : said;
      const answered = failure.kind === 'answer' && isEnginesOwn(failure);
      return { verdict, answered, detail: failure.text, cause };
    }
  };
}

/** `look` and `remove` throw an `InvalidArgumentError` for anything but a full id, before a request is sent. */
export function createContainerEngine({ docker, ...timing }: ContainerEngineDeps): ContainerEngine {
  const ask = createAsk(timing);

  async function look(containerId: string, signal: AbortSignal): Promise<ContainerState> {
    requireFullId(containerId);
    const answer = await ask('look', containerId, signal, (abortSignal) =>
      docker.getContainer(containerId).inspect({ abortSignal }),
    );
    if (answer.verdict === 'gone') return { kind: 'gone' };
    const what = `look at container ${containerId}`;
    if (answer.verdict !== 'done') throw brokenCall(what, answer);
    const state = readContainerState(containerId, answer.body);
    if (state.kind !== 'malformed') return state;
    throw new UnavailableError('docker', `cannot ${what}: the answer is not the engine's: ${state.why}`);
  }

  async function remove(containerId: string, signal: AbortSignal): Promise<RemovalAnswer> {
    requireFullId(containerId);
    const answer = await ask('remove', containerId, signal, (abortSignal) =>
      // `v`: the anonymous volumes, which nothing leads back to the container later.
      docker.getContainer(containerId).remove({ v: true, abortSignal }),
    );
    switch (answer.verdict) {
      case 'gone':
        return { kind: 'gone', ours: false };
      case 'done':
        // The engine's own success has no body. One that has a body was written by something in between.
        if (isEmpty(answer.body)) return { kind: 'gone', ours: true };
        return lookAgain(containerId, signal, 'success came with a body, which is not how the engine answers');
      case 'unknown_outcome':
        return lookAgain(containerId, signal, answer.detail);
      case 'refused': {
        const state = await look(containerId, signal);
        return state.kind === 'gone'
          ? { kind: 'gone', ours: false }
          : { kind: 'still_there', state, detail: answer.detail };
      }
      case 'unavailable':
      case 'bug':
        throw brokenCall(`remove container ${containerId}`, answer);
    }
  }

  /** Still there proves nothing: the engine may carry out our request later. */
  async function lookAgain(containerId: string, signal: AbortSignal, detail: string): Promise<RemovalAnswer> {
    const unknown = `the removal of container ${containerId} may still be carried out: ${detail}`;
    try {
      const state = await look(containerId, signal);
      if (state.kind === 'gone') return { kind: 'gone', ours: false };
    } catch (cause) {
      signal.throwIfAborted();
      throw new UnavailableError('docker', `${unknown}; then: ${messageOf(cause)}`, { cause });
    }
    throw new UnavailableError('docker', `${unknown}; a second look found it still there`);
  }

  return { look, remove, labelled: (gameId, signal) => listLabelled(docker, ask, gameId, signal) };
}

async function listLabelled(
  docker: Docker,
  ask: Ask,
  gameId: string,
  signal: AbortSignal,
): Promise<readonly LabelledContainer[]> {
  const filters = { label: [`${GAME_LABEL}=${gameId}`] };
  const answer = await ask('look', '', signal, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  const what = 'list the containers with the label of this game';
  if (answer.verdict !== 'done') throw brokenCall(what, answer);
  const found = readLabelled(gameId, answer.body);
  if (found !== undefined) return found;
  throw new UnavailableError('docker', `cannot ${what}: the answer is not the engine's`);
}

/** What "no such container" means of another one than was asked for: one that ours depends on, say. */
const NOT_OURS: Readonly<Record<EngineCall, Verdict>> = { look: 'unavailable', remove: 'refused' };

const namesOther = (containerId: string, text: string): boolean =>
  (text.match(/\b[0-9a-f]{64}\b/g) ?? []).some((id) => id !== containerId);

/** Ids become part of a URL: `?force=1` behind one would kill a running container, `..` crashes the client library. */
function requireFullId(containerId: string): void {
  if (isFullContainerId(containerId)) return;
  throw new InvalidArgumentError(`not a full container id (64 lower-case hex digits): ${JSON.stringify(containerId)}`);
}

function brokenCall(what: string, answer: Exclude<Answer, { verdict: 'done' }>): Error {
  const message = `cannot ${what}: ${answer.detail}`;
  const options = { cause: answer.cause };
  if (answer.verdict === 'bug') return new EngineProtocolError(message, options);
  return answer.answered ? new EngineRefusalError(message, options) : new UnavailableError('docker', message, options);
}

function isEmpty(body: unknown): boolean {
  return Buffer.isBuffer(body) && body.length === 0;
}
