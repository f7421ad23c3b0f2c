import { type Connection, Query, type QueryConfig } from 'pg';
import { describe, expect, test } from 'vitest';
import { sendSettingsFirst } from '../../../../../src/adapters/postgres/patches/settings-first.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

const SETTINGS = `SELECT pg_catalog.set_config('TimeZone', 'UTC', true)`;

/** The parts of a `Query` that its client calls; pg's types leave them out. */
interface Answered {
  readonly handleRowDescription: (message: object) => void;
  readonly handleDataRow: (message: object) => void;
  readonly handleCommandComplete: (message: object) => void;
  readonly handleReadyForQuery: () => void;
}

/** A connection that notes each message, with its text where it has one. */
function fakeConnection() {
  const sent: string[] = [];
  const note =
    (name: string) =>
    (message?: string | { readonly text?: string; readonly values?: readonly unknown[] }): void => {
      const text = typeof message === 'string' ? message : (message?.text ?? message?.values?.join());
      sent.push(text === undefined ? name : `${name} ${text}`);
    };
  const messages = ['parse', 'bind', 'describe', 'execute', 'sync', 'query'] as const;
  const connection = {
    ...Object.fromEntries(messages.map((name) => [name, note(name)])),
    stream: { cork: () => undefined, uncork: () => undefined },
    parsedStatements: {},
    submittedNamedStatements: {},
  };
  return { sent, connection: connection as unknown as Connection };
}

function send(config: QueryConfig, isIdle = true) {
  const rows: unknown[] = [];
  const query = new Query(config, (_error, answer) => rows.push(answer.rows));
  sendSettingsFirst(query, SETTINGS, () => isIdle);
  const { sent, connection } = fakeConnection();
  query.submit(connection);
  return { sent, rows, answered: query as unknown as Answered };
}

const FIELD = { name: 'one', dataTypeID: 25, format: 'text' };

describe('a query with settings before it', () => {
  test('a statement with values follows the settings before the one Sync, so that both are one transaction', () => {
    expect(send({ text: 'SELECT $1', values: ['x'] }).sent).toEqual([
      `parse ${SETTINGS}`,
      'bind',
      'execute',
      'parse SELECT $1',
      'bind x',
      'describe',
      'execute',
      'sync',
    ]);
  });

  test('statements without values are one message with the settings', () => {
    expect(send({ text: 'BEGIN; SELECT 1' }).sent).toEqual([`query ${SETTINGS};BEGIN; SELECT 1`]);
  });

  test('a statement inside an open transaction is sent as it is', () => {
    expect(send({ text: 'ROLLBACK' }, false).sent).toEqual(['query ROLLBACK']);
    expect(send({ text: 'SELECT $1', values: ['x'] }, false).sent).toEqual([
      'parse SELECT $1',
      'bind x',
      'describe',
      'execute',
      'sync',
    ]);
  });

  test('the answer to the settings is no part of the answer to the query', () => {
    const { answered, rows } = send({ text: 'SELECT $1 AS one', values: ['x'] });
    answered.handleDataRow({ fields: ['UTC'] });
    answered.handleCommandComplete({ text: 'SELECT 1' });
    answered.handleRowDescription({ fields: [FIELD] });
    answered.handleDataRow({ fields: ['x'] });
    answered.handleCommandComplete({ text: 'SELECT 1' });
    answered.handleReadyForQuery();
    expect(rows).toEqual([[{ one: 'x' }]]);
  });

  test('a query of a version without these methods is refused', () => {
    expect(() => sendSettingsFirst(Object.create(null) as Query, SETTINGS, () => true)).toThrow(LibraryChangedError);
  });
});
