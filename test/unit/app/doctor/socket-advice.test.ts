import { expect, it } from 'vitest';
import { socketAdvice } from '../../../../src/app/doctor/socket-advice.js';

it.each([
  [
    'connect ENOENT /run/postgresql/.s.PGSQL.5432',
    'no server has its socket at /run/postgresql/.s.PGSQL.5432: start PostgreSQL, or correct host and port in DATABASE_URL',
  ],
  [
    'PostgreSQL is not available: connect EACCES /srv/pg/.s.PGSQL.5432',
    'let this user enter the folder of /srv/pg/.s.PGSQL.5432 and write to the socket',
  ],
  ['connect EACCES /run/redis.sock', 'let this user enter the folder of /run/redis.sock and write to the socket'],
  ['connect ENOENT /var/run/docker.sock', undefined],
  ['connect ECONNREFUSED 127.0.0.1:5432', undefined],
])('%s: doctor says what to do about the socket', (message, advice) => {
  expect(socketAdvice(message)).toBe(advice);
});
