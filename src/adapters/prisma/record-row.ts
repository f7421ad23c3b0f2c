import type { RuntimeRecord } from '../../domain/runtime-record.js';
import { Prisma } from '../../generated/prisma/client.js';

/** A select list that gives the columns of `runtime_records` the names that the domain (and Prisma's model) uses. */
export const RECORD_COLUMNS = Prisma.raw(`
  game_id AS "gameId", status, current_container_id AS "currentContainerId", current_image_ref AS "currentImageRef",
  engine_endpoint AS "engineEndpoint", state_path AS "statePath", docker_network AS "dockerNetwork",
  started_at AS "startedAt", stopped_at AS "stoppedAt", removed_at AS "removedAt", last_op_at AS "lastOpAt",
  created_at AS "createdAt", lease_epoch AS "leaseEpoch", docker_host AS "dockerHost"`);

/** The record, without the row's other columns. */
export function toRecord(row: RuntimeRecord): RuntimeRecord {
  return {
    gameId: row.gameId,
    status: row.status,
    currentContainerId: row.currentContainerId,
    currentImageRef: row.currentImageRef,
    engineEndpoint: row.engineEndpoint,
    statePath: row.statePath,
    dockerNetwork: row.dockerNetwork,
    startedAt: row.startedAt,
    stoppedAt: row.stoppedAt,
    removedAt: row.removedAt,
    lastOpAt: row.lastOpAt,
    createdAt: row.createdAt,
    leaseEpoch: row.leaseEpoch,
    dockerHost: row.dockerHost,
  };
}

/**
 * PostgreSQL refuses NUL, and the driver turns a lone surrogate into U+FFFD, which may be another game's id. There can
 * be no record of such a game.
 */
export function isStorableGameId(gameId: string): boolean {
  return gameId.isWellFormed() && !gameId.includes('\0');
}
