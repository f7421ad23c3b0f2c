import { pino } from 'pino';

/**
 * What a log line keeps of an exception. A library may attach anything else to it: ioredis attaches the refused command with
 * its arguments, which for a login are user and password.
 */
const KEPT = ['type', 'message', 'stack', 'code', 'errno', 'syscall', 'address', 'port', 'path', 'statusCode'];

/** Pino's form of an exception, reduced to known fields; the messages and stacks of its causes are part of its own. */
export function loggableError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { aggregateErrors, ...fields } = pino.stdSerializers.err(thrown);
  const kept = reduced(fields);
  return aggregateErrors === undefined ? kept : { ...kept, aggregateErrors: aggregateErrors.map(reduced) };
}

const reduced = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => KEPT.includes(name)));
