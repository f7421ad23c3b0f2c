import { createHash } from 'node:crypto';
import { isObject } from '../../../domain/json.js';
import { gameIdProblem, sourceRefProblem } from '../../../domain/operation.js';
import type { CleanupJobData } from '../../../jobs/ports.js';

/**
 * The key under which cleanups of one game become one job: the game id itself, so that other producers can use it too.
 * Text that is no game id may be of any length and content, which neither store can index; it gets a digest. The control
 * character keeps that apart from every game id.
 */
export function deduplicationId(gameId: string): string {
  const trimmed = gameId.trim();
  if (gameIdProblem(trimmed) === undefined) return trimmed;
  return `\u0001invalid:${createHash('sha256').update(trimmed).digest('hex')}`;
}

/**
 * The key of a person's request that met a sweep's running job: that job may decline what a person may have, so the
 * request gets a job of its own.
 */
export const afterSweepId = (gameId: string): string => `\u0001after-sweep:${deduplicationId(gameId)}`;

/** Sources with a person behind them, who waits and is not to be put off. */
export function isPersonal(opSource: string): boolean {
  return opSource === 'admin_rest' || opSource === 'operator_cli';
}

/** Whether stored job data is the retention sweep's. */
export function isFromSweep(data: unknown): boolean {
  return isObject(data) && data['opSource'] === 'auto_ttl';
}

/**
 * Why a request cannot be stored as it is, or undefined when it can. What a worker can judge and answer with
 * `invalid_request` is let through; NUL and lone surrogates are not, because PostgreSQL refuses them, and to store
 * something else instead might name another game.
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
