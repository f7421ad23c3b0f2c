import type { OperationLog, RuntimeRecords } from '../../cleanup/ports.js';
import { type Guard, type GuardedCall, guardedCall, watchedCall } from './guarded-call.js';

const TABLE = 'runtime_records';

/** The same records; each call is a span, a step and a lesson for the breaker. */
export function guardRecords(records: RuntimeRecords, guard: Guard): RuntimeRecords {
  const callOf = (operation: string, gameId: string): Omit<GuardedCall<unknown>, 'describe'> => ({
    step: `${operation} ${TABLE}`,
    facts: {
      'db.system.name': 'postgresql',
      'db.collection.name': TABLE,
      'db.operation.name': operation,
      'rtmanager.game_id': gameId,
    },
    dependency: 'postgresql',
  });
  return {
    take: (gameId) =>
      guardedCall(
        guard,
        {
          ...callOf('take', gameId),
          describe: (taken) => ({ 'rtmanager.record.status': taken?.record.status ?? 'missing' }),
        },
        () => records.take(gameId),
      ),
    markRemoved: (taken, entry) =>
      guardedCall(
        guard,
        {
          ...callOf('mark_removed', taken.gameId),
          describe: ({ status }) => ({ 'rtmanager.record.mark_removed': status }),
        },
        () => records.markRemoved(taken, entry),
      ),
  };
}

/** The same log; the breaker learns from each row. No span: the row of an operation repeats what its span has already. */
export function guardOperationLog(log: OperationLog, { breaker }: Pick<Guard, 'breaker'>): OperationLog {
  return { append: (entry) => watchedCall(breaker, 'postgresql', () => log.append(entry)) };
}
