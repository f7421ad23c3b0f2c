import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/app/connect/database.js';
import {
  type ClientBackend,
  createConnection,
  enginesOf,
  queriesOf,
  queueBackendOf,
  retentionRecordsOf,
} from '../../../src/app/not-yet-connected.js';
import { UnavailableError } from '../../../src/domain/errors.js';

const notReached = (): UnavailableError => new UnavailableError('postgresql', 'not reached');

type Call = (...args: unknown[]) => Promise<unknown>;

/** The functions of a part, also of the parts in it, by their names. */
const functionsOf = (part: object): [string, Call][] =>
  Object.entries(part).flatMap(([name, member]: [string, unknown]) =>
    typeof member === 'object' && member !== null ? functionsOf(member) : [[name, member as Call]],
  );

/** A store that answers each call with the call's name and arguments. */
const echo = (...names: string[]): object =>
  Object.fromEntries(names.map((name) => [name, async (...args: unknown[]) => [name, ...args]]));

const database = {
  engines: echo('list', 'accept', 'named'),
  queries: echo('listRecords', 'findRecord', 'listOperations'),
  retentionRecords: echo('now', 'census', 'stopped', 'find'),
} as unknown as Database;
const backend = {
  ...echo('queue', 'events', 'repairJob', 'checkWritable'),
  failedSet: echo('page', 'find', 'putBack', 'remove'),
} as unknown as ClientBackend;

const QUEUE_CALLS = [
  'queue first',
  'events first',
  'repairJob first second',
  'checkWritable',
  'page first',
  'find first',
  'putBack first',
  'remove first',
];

describe.each([
  ['record queries', queriesOf, database, ['listRecords first', 'findRecord first', 'listOperations first']],
  ['engines', enginesOf, database, ['list', 'accept first second', 'named']],
  ['retention records', retentionRecordsOf, database, ['now', 'census first second', 'stopped first', 'find first']],
  ['queue clients', queueBackendOf, backend, QUEUE_CALLS],
] as const)('the %s', (part, partOf, store, passedOn) => {
  const setUp = () => {
    const connection = createConnection<never>(notReached);
    return { connection, calls: functionsOf((partOf as (get: () => never) => object)(connection.get)) };
  };

  it(`the ${part} reject a call before the connection with UnavailableError`, async () => {
    const { calls } = setUp();
    expect(calls.map(([name]) => name)).toEqual(passedOn.map((call) => call.split(' ')[0]));
    for (const [, call] of calls) await expect(call()).rejects.toBeInstanceOf(UnavailableError);
  });

  it(`the ${part} pass a call after the connection on to the store`, async () => {
    const { connection, calls } = setUp();
    connection.connected(store as never);
    const answers = await Promise.all(calls.map(([, call]) => call('first', 'second')));
    expect(answers).toEqual(passedOn.map((call) => call.split(' ')));
  });
});
