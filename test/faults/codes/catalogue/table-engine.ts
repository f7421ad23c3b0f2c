import type { Group } from './group.js';

export const ENGINE = [
  {
    code: '',
    job: 'complete',
    situations: {
      'engine-container-gone': 'the engine knows no such container',
      'engine-namesake': 'the container is gone, and another one has its id as a name: that one stays',
      'engine-gone-at-removal': 'the container disappeared between the inspection and the removal',
      'engine-409-and-gone': 'the engine refuses the removal, and the next inspection finds the container gone',
      'engine-removal-answer-lost':
        'the removal is done and its answer lost: a second inspection finds the container gone',
      'engine-removal-answer-cut': 'the removal is done and its answer breaks off',
      'engine-hangs-after-removal': 'the removal is done and its answer never comes',
    },
  },
  {
    code: 'container_mismatch',
    job: 'dead_letter',
    situations: { 'engine-label-of-another-game': 'the label of the container names another game' },
  },
  {
    code: 'conflict',
    job: 'retry',
    situations: {
      'engine-container-running': 'the container runs',
      'engine-container-paused': 'the container is paused',
      'engine-container-restarting': 'the container is between two restarts',
      'engine-started-before-removal':
        'the container was started between the inspection and the removal: the engine refuses',
    },
  },
  {
    code: 'engine_mismatch',
    job: 'retry',
    situations: {
      'engine-replaced': 'another engine answers at the address when the cleanup is to begin: nothing is asked of it',
      'engine-replaced-meanwhile': 'another engine answers at the address, and says that the container is gone',
      'engine-gone-unproven':
        'the engine says that the container is gone, and has no other container that the records name',
      'engine-many-gone': 'the engine says of more than half of the last 20 containers that they are gone',
    },
  },
  {
    code: 'service_unavailable',
    job: 'retry',
    situations: {
      'engine-unknown-name': 'the record names an engine that this process does not know',
      'engine-away': 'the socket does not exist: the engine is stopped, or the address is wrong',
      'engine-killed': 'no process listens at the socket or the port',
      'engine-hangs-on-look': 'the engine accepts the inspection and never answers',
      'engine-look-too-slow': 'the answer to the inspection comes too slowly',
      'engine-look-cut': 'the answer to the inspection breaks off',
      'engine-look-reset': 'the connection is reset during the inspection',
      'engine-look-refused': 'the inspection is answered with any status but 200, 400 and 404',
      'engine-foreign-404-on-look': 'the inspection is answered with a 404 that does not say "no such container"',
      'engine-foreign-400-on-look':
        'the inspection is answered with a 400 that is not JSON: plain HTTP sent to a TLS port',
      'engine-foreign-answer': 'the answer to the inspection describes no container, or another one',
      'engine-no-http': 'the answer is not HTTP',
      'engine-removing-already': 'the engine is removing the container already',
      'engine-409-removal-in-progress': 'another removal began between our inspection and our removal',
      'engine-409-on-removal': 'the engine answers the removal with 409, and the container is idle and still there',
      'engine-500-on-removal': 'the engine answers the removal with 500, and the container is idle and still there',
      'engine-cannot-unlink': 'the engine cannot remove the files of the container, which becomes `dead`',
      'engine-removal-reset': 'the connection is reset during the removal, and the container is still there',
      'engine-hangs-on-removal': 'the engine accepts the removal and never answers, and the container is still there',
      'engine-gateway-on-removal': 'a gateway answers the removal with 502 or 504',
      'engine-removal-accepted': 'the removal is answered with a success status that the engine does not use',
      'engine-removal-not-now': 'the removal is answered with 301, 401, 403, 408, 429, 503 or a foreign 404',
      'engine-removal-and-look-lost':
        'the answer to the removal is lost, and so is the answer to the second inspection',
    },
  },
  {
    code: 'internal_error',
    job: 'retry',
    situations: {
      'engine-400-on-look': 'the engine itself says that our inspection is a bad request',
      'engine-400-on-removal': 'the engine itself says that our removal is a bad request',
      'engine-unknown-state': 'the engine reports a state of the container that this version does not know',
    },
  },
] as const satisfies readonly Group[];
