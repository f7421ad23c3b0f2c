import type { OperationEntry } from '../../src/domain/operation.js';
import type { RuntimeRecord } from '../../src/domain/runtime-record.js';

export const CONTAINER_ID = 'a1'.repeat(32);
export const OTHER_CONTAINER_ID = 'b2'.repeat(32);

/** A stopped record that names a container; override what a test is about. */
export function aRecord(over: Partial<RuntimeRecord> = {}): RuntimeRecord {
  return {
    gameId: 'game-1',
    status: 'stopped',
    currentContainerId: CONTAINER_ID,
    currentImageRef: 'registry.example/game:7',
    engineEndpoint: 'unix:///var/run/docker.sock',
    statePath: '/srv/games/game-1',
    dockerNetwork: 'games',
    startedAt: new Date('2026-01-01T10:00:00Z'),
    stoppedAt: new Date('2026-01-02T10:00:00Z'),
    removedAt: null,
    lastOpAt: new Date('2026-01-02T10:00:00Z'),
    createdAt: new Date('2026-01-01T09:00:00Z'),
    leaseEpoch: 7n,
    dockerHost: null,
    ...over,
  };
}

/** A row of the operation log for a fresh success. */
export const anEntry = (over: Partial<OperationEntry> = {}): OperationEntry => ({
  gameId: 'game-1',
  opKind: 'cleanup_container',
  opSource: 'admin_rest',
  sourceRef: 'request-9',
  imageRef: 'registry.example/game:7',
  containerId: CONTAINER_ID,
  outcome: 'success',
  errorCode: '',
  errorMessage: '',
  elapsedMs: 1_500,
  jobId: '42',
  attempt: 3,
  removal: 'removed',
  engine: 'default',
  actor: '',
  ...over,
});
