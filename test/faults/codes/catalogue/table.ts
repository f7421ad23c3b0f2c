/**
 * What leads to which code: every situation that a cleanup can meet, the code it ends with, and what happens to its
 * job. `docs/error-catalogue.md` shows this table; a test provokes each row on a real service, and
 * test/unit/domain/error-situations.test.ts keeps the three equal.
 */
import type { Group } from './group.js';
import { ENGINE } from './table-engine.js';
import { POSTGRESQL, REDIS } from './table-stores.js';

export const SOURCES = ['payload', 'record', 'lease', 'engine', 'postgresql', 'redis', 'queue'] as const;
export type Source = (typeof SOURCES)[number];

export const TABLE = {
  payload: [
    {
      code: 'invalid_request',
      job: 'dead_letter',
      situations: {
        'payload-unknown-job-name': 'the job has another name than `cleanup_container`',
        'payload-no-object': 'the data is not an object: null, a number, a text, a list',
        'payload-field-missing': 'a required field is missing',
        'payload-field-of-wrong-type': 'a field is not a text',
        'payload-unknown-field': 'a field is unknown, a misspelt precondition for example',
        'payload-nested-too-deep': 'the data is nested some thousand levels deep',
        'payload-game-id-empty': 'the game id is empty or blank',
        'payload-game-id-control-character': 'the game id holds a control character',
        'payload-game-id-too-long': 'the game id has more than 256 characters',
        'payload-game-id-malformed': 'the game id holds half a surrogate pair',
        'payload-unknown-source': 'the operation source is unknown',
        'payload-source-ref-too-long': "the caller's reference has more than 256 characters",
        'payload-source-ref-not-storable': "the caller's reference holds NUL or half a surrogate pair",
        'payload-expected-container-not-full': 'the expected container id is not a full one',
      },
    },
  ],
  record: [
    {
      code: '',
      job: 'complete',
      situations: {
        'record-stopped': 'the record is stopped and its container idle',
        'record-without-container': 'the record is stopped and names no container',
        'record-empty-container-id': 'the record is stopped, and its container id is an empty text',
        'record-without-container-labelled':
          'the record names no container, and one with the label of the game does not run: it is named and left alone',
      },
    },
    {
      code: 'replay_no_op',
      job: 'complete',
      situations: {
        'record-removed-before': 'the record is `removed` already',
        'record-removed-with-container': 'the record is `removed`, and its container exists: it is left alone',
        'record-removed-meanwhile': 'another service changed the record to `removed` during the cleanup',
      },
    },
    {
      code: 'not_found',
      job: 'dead_letter',
      situations: {
        'record-missing': 'the game has no record',
        'record-vanished-meanwhile': 'the record was deleted during the cleanup',
      },
    },
    {
      code: 'not_found',
      job: 'complete',
      situations: { 'record-missing-for-sweep': 'a job of the sweep finds no record' },
    },
    {
      code: 'conflict',
      job: 'retry',
      situations: {
        'record-running': 'the record is `running`',
        'record-without-container-running':
          'the record names no container, and one with the label of the game runs, is paused or is restarting',
        'record-started-meanwhile': 'the record became `running` during the cleanup',
        'record-other-container-meanwhile': 'the record names another container by the end of the cleanup',
        'record-taken-meanwhile': 'another holder of the lease took the record during the cleanup',
      },
    },
    {
      code: 'conflict',
      job: 'complete',
      situations: {
        'record-running-for-sweep': 'a job of the sweep finds the record `running`',
        'record-not-due-for-sweep': 'a job of the sweep finds that the record is not due any more',
        'record-held-for-sweep': 'a job of the sweep finds that a hold keeps the container',
      },
    },
    {
      code: 'container_mismatch',
      job: 'dead_letter',
      situations: {
        'record-container-id-not-full': 'the record names its container by a short id or a name',
        'record-other-container-than-expected': 'the record names another container than the request expects',
      },
    },
    {
      code: 'internal_error',
      job: 'retry',
      situations: { 'record-unknown-status': 'another service wrote a status that this version does not know' },
    },
  ],
  lease: [
    {
      code: '',
      job: 'complete',
      situations: {
        'lease-cannot-be-released':
          'the lease store is unavailable when the lease is released: a warning, and the lease ends by itself',
      },
    },
    {
      code: 'conflict',
      job: 'retry',
      situations: { 'lease-held-by-another': 'another operation holds the lease of the game' },
    },
    {
      code: 'conflict',
      job: 'complete',
      situations: { 'lease-held-by-another-for-sweep': 'a job of the sweep finds the lease held' },
    },
    {
      code: 'lease_lost',
      job: 'retry',
      situations: {
        'lease-taken-before-removal': 'the store holds another token when the lease is renewed, before the removal',
        'lease-runs-out-before-removal': 'no renewal is answered until the trust in the lease ends, before the removal',
        'lease-outlived-before-removal': 'the worker was frozen for longer than its lease, before the removal',
        'lease-lost-while-removing':
          'the lease is lost while the engine processes the removal: it may still be carried out',
        'lease-outlived-after-removal': 'the worker was frozen for longer than its lease, after the removal',
      },
    },
  ],
  engine: ENGINE,
  postgresql: POSTGRESQL,
  redis: REDIS,
  queue: [
    {
      code: 'conflict',
      job: 'dead_letter',
      situations: {
        'queue-last-conflict': 'the job has met `RTMANAGER_CONFLICT_MAX_ATTEMPTS` conflicts',
      },
    },
    {
      code: 'service_unavailable',
      job: 'dead_letter',
      situations: { 'queue-outage-too-long': 'the outage has lasted `RTMANAGER_RETRY_MAX_AGE` for the job' },
    },
    {
      code: 'internal_error',
      job: 'dead_letter',
      situations: {
        'queue-third-internal-error': 'the job has ended with `internal_error` three times',
        'queue-worker-vanished': 'the worker vanished ten times while it ran the job',
        'queue-gave-up': 'the queue itself gives up the job',
      },
    },
  ],
} as const satisfies Readonly<Record<Source, readonly Group[]>>;
