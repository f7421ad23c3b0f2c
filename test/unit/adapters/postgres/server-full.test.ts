import { describe, expect, test } from 'vitest';
import { isServerFull, SERVER_FULL_CURE, serverFullText } from '../../../../src/adapters/postgres/server-full.js';

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });

describe('a refusal for want of connections is recognised', () => {
  test.each([
    ['the server', coded('sorry, too many clients already', '53300')],
    [
      'its reserved slots',
      coded('remaining connection slots are reserved for roles with the SUPERUSER attribute', '53300'),
    ],
    ['a role', coded('too many connections for role "app"', '53300')],
    ['a database', coded('too many connections for database "games"', '53300')],
    ['a server in another language', coded('tut mir leid, schon zu viele Verbindungen', '53300')],
    ['PgBouncer', coded('no more connections allowed (max_client_conn)', '08P01')],
    ['Supavisor', coded('Max client connections reached', 'XX000')],
    ['Supavisor in session mode', coded('MaxClientsInSessionMode: max clients reached', 'XX000')],
  ])('that of %s', (_who, error) => expect(isServerFull(error)).toBe(true));

  test.each([
    ['a refused login', coded('password authentication failed for user "app"', '28P01')],
    ['a server that starts', coded('the database system is starting up', '57P03')],
    ['a lost connection', new Error('Connection terminated unexpectedly')],
    ['a pool that is busy', new Error('timeout exceeded when trying to connect')],
    ['text', 'too many connections'],
  ])('%s is no such refusal', (_what, error) => expect(isServerFull(error)).toBe(false));

  test('the cure is added once', () => {
    const text = serverFullText('sorry, too many clients already');
    expect(text).toContain(SERVER_FULL_CURE);
    expect(serverFullText(text)).toBe(text);
  });
});
