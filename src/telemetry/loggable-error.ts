import { pino } from 'pino';

/**
 * What a log line keeps of an exception. A library may attach anything else to it: ioredis attaches the refused command with
 * its arguments, which for a login are user and password.
 */
const KEPT = new Set(['type', 'message', 'stack', 'code', 'errno', 'syscall', 'address', 'port', 'path', 'statusCode']);
const PARTS = 'aggregateErrors';

/** Pino's form of an exception, reduced to known fields; the messages and stacks of its causes are part of its own. */
export function loggableError(thrown: unknown): unknown {
  return thrown instanceof Error ? reduced(pino.stdSerializers.err(thrown)) : thrown;
}

function reduced(serialized: object): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(serialized) as Iterable<[string, unknown]>) {
    if (KEPT.has(name)) kept[name] = value;
    else if (name === PARTS && Array.isArray(value)) kept[name] = value.filter(isObject).map(reduced);
  }
  return kept;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
