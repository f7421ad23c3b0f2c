import { createHash } from 'node:crypto';
import { isObject } from '../../../domain/json.js';
import { gameIdProblem, sourceRefProblem } from '../../../domain/operation.js';
import type { CleanupJobData } from '../../../jobs/ports.js';

/**
 * The key under which cleanups of one game become one job: the game id itself, so that other producers can use it, too.
 * Text that is no game id may have any length and content, which neither store can index, so its digest is used. The
 * control character makes that key different from every game id.
 */
export function deduplicationId(gameId: string): string {
  const trimmed = gameId.trim();
  if (gameIdProblem(trimmed) === undefined) return trimmed;
  return `\u0001invalid:${createHash('sha256').update(trimmed).digest('hex')}`;
}

/**
 * The key of a person's request that met a running job of a sweep: that job may refuse what a person may ask for, so the
 * request gets a job of its own.
 */
export const afterSweepId = (gameId: string): string => `\u0001after-sweep:${deduplicationId(gameId)}`;

/** Whether a person asks, who waits for the result. */
export function isPersonal(opSource: string): boolean {
  return opSource === 'admin_rest' || opSource === 'operator_cli';
}

/** Whether stored job data is the retention sweep's. */
export function isFromSweep(data: unknown): boolean {
  return isObject(data) && data['opSource'] === 'auto_ttl';
}

/**
 * Why a request cannot be stored as it is, or undefined when it can. Text that a worker can judge and
 * answer with `invalid_request` is stored; NUL and lone surrogates are not, because PostgreSQL refuses them, and other
 * text in their place might name another game.
 */
export function storageProblem({
  gameId,
  opSource,
  sourceRef,
  expectedContainerId,
}: CleanupJobData): string | undefined {
  if (hasUnstorable(gameId)) return gameIdProblem(gameId);
  if (sourceRef !== undefined && hasUnstorable(sourceRef)) return sourceRefProblem(sourceRef);
  if (hasUnstorable(opSource)) return 'opSource is not storable text';
  if (expectedContainerId !== undefined && hasUnstorable(expectedContainerId)) {
    return 'expectedContainerId is not storable text';
  }
  return undefined;
}

const hasUnstorable = (text: string): boolean => text.includes('\0') || !text.isWellFormed();
