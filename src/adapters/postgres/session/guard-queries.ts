/**
 * Two answers of PostgreSQL that the caller of a query cannot handle well are handled on its connection:
 *
 * - `0A000 cached plan must not change result type`: a column was added or its type changed since the connection prepared
 *   this named statement. From then on the statement fails on this connection each time. PostgreSQL finds out before the
 *   statement does anything, so it is repeated at once, without its name: an unnamed statement is parsed anew, also behind
 *   a pooler that keeps prepared statements of its own. Within a transaction the failure would end the transaction, so
 *   no statement is named there.
 * - `42501`: the message names the table, not the role that lacks the right.
 */
import { type Client, DatabaseError } from 'pg';

type Callback = (error: Error | null | undefined, result?: unknown) => void;
/** The form of `Client.query` to which all its other forms can be reduced. */
type Ask = (config: unknown, values: unknown, callback: Callback) => void;

export function guardQueries(client: Client): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the overloads, which TypeScript does not single out
  const ask = client.query.bind(client) as Ask;
  const submit = client.query.bind(client);
  const stale = new Set<string>();

  function guarded(config: unknown, values?: unknown, callback?: unknown): unknown {
    // A cursor or a stream: it is sent as it is and has its own listeners.
    if (isObject(config) && 'submit' in config) return Reflect.apply(submit, undefined, [config, values, callback]);
    if (isCallback(values)) return run(config, undefined, values);
    if (isCallback(callback)) return run(config, values, callback);
    return new Promise((resolve, reject) => {
      run(config, values, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  function run(config: unknown, values: unknown, callback: Callback): void {
    const name = nameOf(config);
    if (name === undefined || stale.has(name) || client.getTransactionStatus() !== 'I') {
      ask(unnamed(config), values, (error, result) => callback(withRole(error), result));
      return;
    }
    ask(config, values, (error, result) => {
      if (isStalePlan(error)) {
        stale.add(name);
        run(config, values, callback);
      } else callback(withRole(error), result);
    });
  }

  function withRole(error: Error | null | undefined): Error | null | undefined {
    if (error instanceof DatabaseError && error.code === '42501') error.message += ` (role "${client.user ?? '?'}")`;
    return error;
  }

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- takes and returns what every overload does
  client.query = guarded as typeof client.query;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isCallback = (value: unknown): value is Callback => typeof value === 'function';

function nameOf(config: unknown): string | undefined {
  return isObject(config) && 'name' in config && typeof config.name === 'string' ? config.name : undefined;
}

const unnamed = (config: unknown): unknown =>
  nameOf(config) === undefined ? config : { ...Object(config), name: undefined };

const isStalePlan = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code === '0A000' && error.message.startsWith('cached plan must not change');
