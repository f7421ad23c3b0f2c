import { describe, expect, it } from 'vitest';
import { redisAdvice } from '../../../../src/app/doctor/redis-advice.js';

describe('the advice of doctor about a refusal of Redis', () => {
  it.each([
    [
      'READONLY the server at this address is a replica of 10.0.0.7:6379',
      /address of the primary.*failover.*by themselves/,
    ],
    ['MASTERDOWN Link with MASTER is down', /replica that has lost its primary/],
    ['LOADING Redis is loading the dataset in memory', /wait until Redis has loaded its data/],
    ['UNBLOCKED force unblock from blocking operation', /failover/],
    ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
    ['NOAUTH Authentication required.', /user and password in REDIS_URL/],
    [
      'WRONGPASS invalid username-password pair or user is disabled.',
      /changed at the server.*started anew with the new one/,
    ],
    ['ERR max number of clients reached', /maxclients/],
    ['CLUSTERDOWN The cluster is down', /--cluster check/],
    ['TRYAGAIN Multiple keys request', /slots.*have been moved/],
    ['BUSY Redis is busy running a script.', /SCRIPT KILL/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory/],
    ['MISCONF Redis is configured to save RDB snapshots', /disk/],
    ["NOPERM this user has no permissions to run the 'set' command", /rights.*ACL SETUSER/],
    ['DENIED Redis is running in protected mode', /protected mode/],
  ])('doctor names the cure of "%s"', (message, cure) => {
    expect(redisAdvice(message)).toMatch(cure);
    expect(redisAdvice(`Redis could not acquire the game lease: ${message}`)).toMatch(cure);
  });

  it('doctor has no advice of this kind where Redis refused nothing', () => {
    expect(redisAdvice('connect ECONNREFUSED 127.0.0.1:6379')).toBeUndefined();
  });
});
