import type { Group } from './group.js';

export const POSTGRESQL = [
  {
    code: 'service_unavailable',
    job: 'retry',
    situations: {
      'postgresql-lock-timeout': 'another transaction keeps the row locked for longer than `lock_timeout`',
      'postgresql-statement-timeout': 'a statement runs for longer than `statement_timeout`',
      'postgresql-query-cancelled': 'an administrator cancels our statement',
      'postgresql-backend-terminated': 'an administrator terminates our connection',
      'postgresql-deadlock': 'our statement is the victim of a deadlock',
      'postgresql-serialization-failure':
        'a trigger of another service cannot serialize its work, such as on a remote table',
      'postgresql-file-missing': 'a file of the database is missing on the disk of the server',
      'postgresql-change-answer-lost':
        'the record is changed and the answer lost: the next attempt ends as `replay_no_op`',
      'postgresql-permission-denied': 'a right on a table was taken away from our role',
    },
  },
  {
    code: 'service_unavailable',
    job: 'retry',
    rowIsLost: true,
    situations: {
      'postgresql-read-only': 'the database is read-only, as a standby is after a failover',
      'postgresql-away-after-removal':
        'the database becomes unavailable between the removal and the change of the record',
      'postgresql-pool-exhausted': 'all connections of this process are in use for too long',
      'postgresql-lease-store-refuses': 'leases are kept in a database that is read-only',
      'postgresql-refuses-connections': 'no process listens: the server is down',
      'postgresql-resets-connections': 'every connection is reset',
      'postgresql-silent': 'connections open, and no answer comes',
      'postgresql-silent-lease-store': 'leases are kept in a database that does not answer',
      'postgresql-too-many-connections': 'the server has no connection left for our role',
      'postgresql-login-refused': 'our role may not log in',
      'postgresql-database-missing': 'the database does not exist',
      'postgresql-shutting-down': 'the server is shutting down and accepts no connection',
      'postgresql-crashed': 'the server crashes during our statement',
      'postgresql-disk-full': 'the disk of the server is full when the record is changed',
    },
  },
  {
    code: 'internal_error',
    job: 'retry',
    situations: {
      'postgresql-table-missing': 'a table is missing: the migrations were not run, or it was dropped',
      'postgresql-lease-table-missing': 'leases are kept in a database without their table',
      'postgresql-constraint': 'a constraint that was added to a table refuses our change',
    },
  },
  {
    code: 'invalid_request',
    job: 'dead_letter',
    rowIsLost: true,
    situations: {
      'postgresql-away-at-a-refusal':
        'the database is unavailable when a bad payload is refused: the job is refused all the same',
    },
  },
] as const satisfies readonly Group[];

export const REDIS = [
  {
    code: 'service_unavailable',
    job: 'retry',
    situations: {
      'redis-away': 'no process listens: the server is down',
      'redis-reset': 'the connection breaks while the lease is asked for',
      'redis-silent': 'the server is frozen or paused, and no answer comes',
      'redis-out-of-memory': 'the server is at its `maxmemory`',
      'redis-replica': 'the server has become a replica, which is read-only',
      'redis-too-few-replicas': 'the server has fewer replicas than `min-replicas-to-write` asks for',
      'redis-cannot-save': 'the server cannot save to its disk and takes no writes',
      'redis-loading': 'the server is loading its data',
      'redis-busy-script': 'a script of another client keeps the server busy',
      'redis-wants-password': 'the server requires a password that is not configured',
      'redis-acl': 'the access rules of the server forbid the commands of the lease',
    },
  },
  {
    code: 'lease_lost',
    job: 'retry',
    situations: {
      'redis-emptied': 'the server lost its data during the cleanup, and the lease with it',
      'redis-silent-during-cleanup': 'the server falls silent during the cleanup until the trust in the lease ends',
    },
  },
  {
    code: 'conflict',
    job: 'retry',
    situations: { 'redis-foreign-key': "the lease's key holds something other than a lease" },
  },
] as const satisfies readonly Group[];
