import { describe, expect, it } from 'vitest';
import { needsNewConnection, redisOutageCode } from '../../../../src/adapters/redis-replies.js';

/** The texts are those of Redis 7.0, where nothing else is said. */
const replies: readonly (readonly [situation: string, reply: string, code: string | undefined, renewed: boolean])[] = [
  ['a write at a replica', "READONLY You can't write against a read only replica.", 'READONLY', true],
  [
    'a script at a replica',
    "READONLY You can't write against a read only replica. script: d96ca626, on @user_script:217.",
    'READONLY',
    true,
  ],
  [
    'a script at a replica, Redis 6',
    "ERR Error running script (call to f_ab12): @user_script:2: -READONLY You can't write against a read only replica.",
    'READONLY',
    true,
  ],
  [
    'a transaction at a replica',
    "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
    'READONLY',
    true,
  ],
  [
    'a message of this program that quotes a reply',
    "Redis could not acquire the game lease: READONLY You can't write against a read only replica.",
    'READONLY',
    true,
  ],
  [
    'a replica without its primary',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'MASTERDOWN',
    true,
  ],
  ['a replica that copies its primary', 'LOADING Redis is loading the dataset in memory', 'LOADING', true],
  [
    'a blocking command at the failover',
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    'UNBLOCKED',
    true,
  ],
  ['a primary that was cut off', 'NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', true],
  ['a password that was set', 'NOAUTH Authentication required.', 'NOAUTH', true],
  ['a password that was changed', 'WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', true],
  ['too many connections', 'ERR max number of clients reached', 'MAXCLIENTS', true],
  ['a cluster with uncovered slots', 'CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', false],
  ['slots on their way', 'TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN', false],
  ['a long script', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL', 'BUSY', false],
  ['a full memory', "OOM command not allowed when used memory > 'maxmemory'.", 'OOM', false],
  [
    'a full disk',
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
    'MISCONF',
    false,
  ],
  ['a right that was taken away', "NOPERM this user has no permissions to run the 'set' command", 'NOPERM', false],
  [
    'a right that a script needs',
    "ERR The user executing the script can't run this command or subcommand script: ab12, on @user_script:1.",
    'NOPERM',
    false,
  ],
  ['protected mode', 'DENIED Redis is running in protected mode because it is not secured.', 'DENIED', false],
  ['a key of another type', 'WRONGTYPE Operation against a key holding the wrong kind of value', undefined, false],
  ['a script that is not cached', 'NOSCRIPT No matching script. Please use EVAL.', undefined, false],
  ['a wrong command', "ERR unknown command 'evla'", undefined, false],
  ['a text that only mentions a code', 'ERR the game READONLY does not exist', undefined, false],
  ['a property of every object', 'constructor is no code', undefined, false],
];

describe('what an error reply of Redis means', () => {
  it.each(replies)('%s: outage or not, and whether a new connection is needed', (_situation, reply, code, renewed) => {
    expect(redisOutageCode(reply)).toBe(code);
    expect(needsNewConnection(reply)).toBe(renewed);
  });
});
