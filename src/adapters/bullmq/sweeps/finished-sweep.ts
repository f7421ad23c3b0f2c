import type { FinishedSweep } from '../../../retention/ports.js';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isInstant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const areNumbers = (value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'number');

/** Whether a job's return value is the report of a sweep that came to its end: any client may have written it. */
export function isFinishedSweep(value: unknown): value is FinishedSweep {
  if (!isObject(value) || !isInstant(value['asOf']) || !isInstant(value['finishedAt'])) return false;
  const kept = value['kept'];
  if (!areNumbers(value, ['stopped', 'planned']) || !isObject(kept)) return false;
  if (!areNumbers(kept, ['held', 'dead_letter', 'invalid_id'])) return false;
  switch (value['status']) {
    case 'done':
      return areNumbers(value, ['enqueued', 'coalesced', 'failed']);
    case 'refused':
      return areNumbers(value, ['maxShare']) && typeof value['reason'] === 'string';
    default:
      return false;
  }
}
