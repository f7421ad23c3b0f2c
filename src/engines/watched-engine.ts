/**
 * The engine as its jobs call it: a call without an answer makes its identity doubtful. Where there are other engines, no
 * call outlasts the engine's silence, so that its jobs give their slots back.
 */
import type { Clock } from '../async/clock.js';
import { type Call, withEither } from '../async/either-signal.js';
import type { ContainerEngine } from '../cleanup/ports.js';
import { EngineRefusalError, messageOf, UnavailableError } from '../domain/errors.js';
import type { EngineWatch } from './engine-watch.js';

/** A call that takes longer makes the engine suspect: a healthy one answers in milliseconds. */
const SLOW_CALL_MS = 1_500;

interface Parts {
  readonly engine: ContainerEngine;
  readonly watch: Pick<EngineWatch, 'silence' | 'hasten' | 'suspect'>;
  readonly hasSiblings: boolean;
  readonly clock: Clock;
}

export function createWatchedEngine({ engine, watch, hasSiblings, clock }: Parts): ContainerEngine {
  async function asked<Answer>(signal: AbortSignal, call: Call<Answer>): Promise<Answer> {
    const cancel = hasSiblings ? clock.after(SLOW_CALL_MS, watch.hasten) : () => undefined;
    try {
      return await (hasSiblings ? withEither(signal, watch.silence(), call) : call(signal));
    } catch (error) {
      // A refusal is an answer: the connection has not been broken.
      if (error instanceof UnavailableError && !(error instanceof EngineRefusalError)) watch.suspect();
      throw error;
    } finally {
      cancel();
    }
  }

  /** The silence ends a removal before its answer: the engine may carry it out when it runs again. */
  async function remove(containerId: string, signal: AbortSignal): ReturnType<ContainerEngine['remove']> {
    const silence = watch.silence();
    try {
      return await asked(signal, (either) => engine.remove(containerId, either));
    } catch (error) {
      if (!silence.aborted || error !== silence.reason) throw error;
      const message = `the removal of container ${containerId} may still be carried out: ${messageOf(error)}`;
      throw new UnavailableError('docker', message, { cause: error });
    }
  }

  return {
    look: (containerId, signal) => asked(signal, (either) => engine.look(containerId, either)),
    remove,
    labelled: (gameId, signal) => asked(signal, (either) => engine.labelled(gameId, either)),
  };
}
