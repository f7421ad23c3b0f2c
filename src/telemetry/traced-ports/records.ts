import type { Attributes } from '@opentelemetry/api';
import type { RuntimeRecords } from '../../cleanup/ports.js';
import { inClientSpan } from './client-span.js';
import type { Telemetry } from '../telemetry.js';

const TABLE = 'runtime_records';

/** The same records; each call is a span. */
export function observeRecords(records: RuntimeRecords, { tracer }: Pick<Telemetry, 'tracer'>): RuntimeRecords {
  const attributes = (operation: string, gameId: string): Attributes => ({
    'db.system.name': 'postgresql',
    'db.collection.name': TABLE,
    'db.operation.name': operation,
    'rtmanager.game_id': gameId,
  });
  return {
    take: (gameId) =>
      inClientSpan(tracer, `take ${TABLE}`, attributes('take', gameId), async (span) => {
        const taken = await records.take(gameId);
        span.setAttribute('rtmanager.record.status', taken?.record.status ?? 'missing');
        return taken;
      }),
    markRemoved: (taken, entry) =>
      inClientSpan(tracer, `mark_removed ${TABLE}`, attributes('mark_removed', taken.gameId), async (span) => {
        const answer = await records.markRemoved(taken, entry);
        span.setAttribute('rtmanager.record.mark_removed', answer.status);
        return answer;
      }),
  };
}
