/**
 * The container engine over Docker's API, which Podman speaks too. The engine looks up whatever it is sent as an id, a
 * name or a prefix, and puts no condition on a removal; hence full ids only, a body whose `Id` is compared, and never a
 * `force`, which would kill what runs.
 */
import type Docker from 'dockerode';
import type { ContainerEngine, ContainerState, RemovalAnswer } from '../../cleanup/ports.js';
import type { Clock } from '../../async/clock.js';
import {
  UnavailableError,
  messageOf,
  EngineProtocolError,
  InvalidArgumentError,
  TimeoutError,
} from '../../domain/errors.js';
import { isFullContainerId } from '../../domain/runtime-record.js';
import { type EngineCall, type Verdict, classify, readFailure } from './classify.js';
import { readContainerState } from './container-state.js';
import { withDeadline } from '../../async/deadline.js';

export interface ContainerEngineDeps {
  readonly docker: Docker;
  readonly clock: Clock;
  /** For each request to the engine; a removal whose answer was lost takes two. */
  readonly timeoutMs: number;
}

type Answer =
  | { readonly verdict: 'done'; readonly body: unknown }
  | { readonly verdict: Verdict; readonly detail: string; readonly cause: unknown };

/** `look` and `remove` throw an `InvalidArgumentError` for anything but a full id, before the network is touched. */
export function createContainerEngine({ docker, clock, timeoutMs }: ContainerEngineDeps): ContainerEngine {
  const late = () => new TimeoutError('no answer', timeoutMs, { dependency: 'docker' });

  /** Every request goes through here: its own deadline, the caller's signal, one classification. */
  async function ask(
    call: EngineCall,
    containerId: string,
    signal: AbortSignal,
    request: (abortSignal: AbortSignal) => Promise<unknown>,
  ): Promise<Answer> {
    try {
      return { verdict: 'done', body: await withDeadline({ clock, limitMs: timeoutMs, late, signal }, request) };
    } catch (cause) {
      signal.throwIfAborted();
      const failure = readFailure(cause);
      const said = classify(call, failure);
      const verdict = said === 'gone' && namesOther(containerId, failure.text) ? NOT_OURS[call] : said;
      return { verdict, detail: failure.text, cause };
    }
  }

  async function look(containerId: string, signal: AbortSignal): Promise<ContainerState> {
    requireFullId(containerId);
    const answer = await ask('look', containerId, signal, (abortSignal) =>
      docker.getContainer(containerId).inspect({ abortSignal }),
    );
    if (answer.verdict === 'gone') return { kind: 'gone' };
    const what = `look at container ${containerId}`;
    if (answer.verdict !== 'done') throw brokenCall(what, answer);
    const sighting = readContainerState(containerId, answer.body);
    if (sighting.kind !== 'malformed') return sighting;
    throw new UnavailableError('docker', `cannot ${what}: the answer is not the engine's: ${sighting.why}`);
  }

  async function remove(containerId: string, signal: AbortSignal): Promise<RemovalAnswer> {
    requireFullId(containerId);
    const answer = await ask('remove', containerId, signal, (abortSignal) =>
      // `v`: the anonymous volumes, which nothing leads back to the container later.
      docker.getContainer(containerId).remove({ v: true, abortSignal }),
    );
    switch (answer.verdict) {
      case 'gone':
        return { kind: 'gone' };
      case 'done':
        // The engine's own success has no body. One that has a body was written by something in between.
        if (isEmpty(answer.body)) return { kind: 'gone' };
        return lookAgain(containerId, signal, 'success came with a body, which is not how the engine answers');
      case 'unknown_outcome':
        return lookAgain(containerId, signal, answer.detail);
      case 'refused': {
        const sighting = await look(containerId, signal);
        return sighting.kind === 'gone' ? sighting : { kind: 'still_there', sighting, detail: answer.detail };
      }
      case 'unavailable':
      case 'bug':
        throw brokenCall(`remove container ${containerId}`, answer);
    }
  }

  /** Gone is gone, whoever did it. Still there proves nothing: the engine may come to our request later. */
  async function lookAgain(containerId: string, signal: AbortSignal, detail: string): Promise<RemovalAnswer> {
    const unknown = `the removal of container ${containerId} may still be carried out: ${detail}`;
    try {
      const sighting = await look(containerId, signal);
      if (sighting.kind === 'gone') return sighting;
    } catch (cause) {
      signal.throwIfAborted();
      throw new UnavailableError('docker', `${unknown}; then: ${messageOf(cause)}`, { cause });
    }
    throw new UnavailableError('docker', `${unknown}; a second look found it still there`);
  }

  return { look, remove };
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
  return answer.verdict === 'bug'
    ? new EngineProtocolError(message, options)
    : new UnavailableError('docker', message, options);
}

function isEmpty(body: unknown): boolean {
  return Buffer.isBuffer(body) && body.length === 0;
}
