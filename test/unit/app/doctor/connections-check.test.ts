import { describe, expect, test } from 'vitest';
import { connectionsFinding } from '../../../../src/app/doctor/connections-check.js';

const NEEDED = { most: 20, least: 10 };
const server = (used: number) => ({ name: 'max_connections (less 3 reserved)', most: 97, used });

describe("doctor's check of connections", () => {
  test('a server with room for one more process is fine, and all numbers are named', () => {
    expect(connectionsFinding({ limits: [server(40)], ours: 24 }, NEEDED)).toEqual({
      status: 'ok',
      detail:
        'max_connections (less 3 reserved): 40 of 97 used; 24 of them are of this service; each of its processes opens at most 20 (RTMANAGER_MAX_CONNECTIONS)',
    });
  });

  test('a server that is nearly full is a warning that names the free connections and the cure', () => {
    expect(connectionsFinding({ limits: [server(95)], ours: 60 }, NEEDED)).toEqual({
      status: 'warn',
      detail:
        'max_connections (less 3 reserved): 95 of 97 used; 60 of them are of this service; each of its processes opens at most 20 (RTMANAGER_MAX_CONNECTIONS); 2 more are allowed, and one process needs 10 at once',
      advice:
        'raise max_connections (less 3 reserved), close other connections, or lower RTMANAGER_MAX_CONNECTIONS of each process (10 is the least); until then work is slower',
    });
  });

  test('a limit below what one process needs is named with the value to set', () => {
    const role = { name: 'CONNECTION LIMIT of role app', most: 5, used: 1 };
    expect(connectionsFinding({ limits: [server(40), role], ours: 1 }, NEEDED)).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('CONNECTION LIMIT of role app: 1 of 5 used') as string,
      advice: 'raise CONNECTION LIMIT of role app to 20 for each process of this service',
    });
  });
});
