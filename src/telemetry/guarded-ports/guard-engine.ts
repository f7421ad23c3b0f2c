import type { ContainerEngine } from '../../cleanup/ports.js';
import { type Guard, guardedCall } from './guarded-call.js';

/** The same engine; each call is a span, a step and a lesson for the breaker, and each removal is measured. */
export function guardEngine(engine: ContainerEngine, guard: Guard): ContainerEngine {
  return {
    look: (containerId, signal) =>
      guardedCall(
        guard,
        {
          step: 'container look',
          facts: { 'container.id': containerId },
          dependency: 'docker',
          describe: (state) => ({
            'rtmanager.container.activity': state.kind === 'gone' ? 'gone' : state.activity,
          }),
        },
        () => engine.look(containerId, signal),
      ),
    labelled: (gameId, signal) =>
      guardedCall(
        guard,
        {
          step: 'container list',
          facts: { 'rtmanager.game_id': gameId },
          dependency: 'docker',
          describe: (found) => ({ 'rtmanager.container.labelled': found.length }),
        },
        () => engine.labelled(gameId, signal),
      ),
    remove: (containerId, signal) =>
      guardedCall(
        guard,
        {
          step: 'container remove',
          facts: { 'container.id': containerId },
          dependency: 'docker',
          describe: ({ kind }) => ({ 'rtmanager.container.removal': kind }),
          measure: (elapsedMs, answer) => guard.metrics.recordRemoval(elapsedMs, answer?.kind ?? 'failed'),
        },
        () => engine.remove(containerId, signal),
      ),
  };
}
