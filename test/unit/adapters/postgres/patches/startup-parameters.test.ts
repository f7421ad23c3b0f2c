import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { replaceStartupParameters } from '../../../../../src/adapters/postgres/patches/startup-parameters.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';

const config = {
  user: 'app',
  database: 'games',
  application_name: 'tests',
  options: '-c TimeZone=UTC',
  lock_timeout: 5,
};
// pg's types leave the method out.
const sentBy = (client: Client): unknown => (client as unknown as { getStartupConf: () => unknown }).getStartupConf();

describe('the startup parameters of a client', () => {
  test('pg itself sends options and time limits, which a pooler may refuse', () => {
    expect(sentBy(new Client(config))).toEqual({ ...config, lock_timeout: '5' });
  });

  test('a client sends the parameters that were chosen of those', () => {
    const client = new Client(config);
    replaceStartupParameters(client, ({ user = '', options = '' }) => ({ user, was: options }));
    expect(sentBy(client)).toEqual({ user: 'app', was: '-c TimeZone=UTC' });
  });

  test('a client of a version without the method is refused', () => {
    expect(() => replaceStartupParameters(Object.create(null) as Client, (given) => given)).toThrow(
      LibraryChangedError,
    );
  });
});
