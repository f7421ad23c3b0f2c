import type { ContainerEngine } from '../../cleanup/ports.js';
import { inClientSpan } from './client-span.js';
import type { Telemetry } from '../telemetry.js';

/** The same engine; each call is a span, each removal is measured. */
export function observeEngine(engine: ContainerEngine, { tracer, metrics, clock }: Telemetry): ContainerEngine {
  return {
    look: (containerId, signal) =>
      inClientSpan(tracer, 'container look', { 'container.id': containerId }, async (span) => {
        const sighting = await engine.look(containerId, signal);
        span.setAttribute('rtmanager.container.activity', sighting.kind === 'gone' ? 'gone' : sighting.activity);
        return sighting;
      }),
    remove: async (containerId, signal) => {
      const startedMs = clock.monotonicMs();
      const elapsedMs = () => clock.monotonicMs() - startedMs;
      try {
        const answer = await inClientSpan(tracer, 'container remove', { 'container.id': containerId }, async (span) => {
          const answer = await engine.remove(containerId, signal);
          span.setAttribute('rtmanager.container.removal', answer.kind);
          return answer;
        });
        metrics.removalAsked(elapsedMs(), answer.kind);
        return answer;
      } catch (thrown) {
        metrics.removalAsked(elapsedMs(), 'failed');
        throw thrown;
      }
    },
  };
}
