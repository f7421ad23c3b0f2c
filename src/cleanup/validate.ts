import {
  type CleanupCommand,
  gameIdProblem,
  isOpSource,
  type OpSource,
  sourceRefProblem,
  unknownOpSource,
} from '../domain/operation.js';
import { isFullContainerId } from '../domain/runtime-record.js';

/** A command whose fields have all been checked; the game id is trimmed. */
export interface CleanupRequest {
  readonly gameId: string;
  readonly opSource: OpSource;
  readonly expectedContainerId: string | null;
}

export type Validation =
  | { readonly valid: true; readonly request: CleanupRequest }
  | { readonly valid: false; readonly problem: string };

export function validate(command: CleanupCommand): Validation {
  const gameId = command.gameId.trim();
  const { opSource, sourceRef, expectedContainerId } = command;
  if (!isOpSource(opSource)) return { valid: false, problem: unknownOpSource(opSource) };
  const problem = gameIdProblem(gameId) ?? sourceRefProblem(sourceRef) ?? expectedContainerProblem(expectedContainerId);
  if (problem !== undefined) return { valid: false, problem };
  return { valid: true, request: { gameId, opSource, expectedContainerId } };
}

function expectedContainerProblem(id: string | null): string | undefined {
  if (id === null || isFullContainerId(id)) return undefined;
  return `expectedContainerId ${JSON.stringify(id.slice(0, 80))} is not a full container id (64 lower-case hex digits)`;
}
