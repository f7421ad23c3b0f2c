/**
 * Records one operation: its progress so far, and the one row that it writes to the operation log, in success and in
 * failure.
 */
import type { Clock } from '../async/clock.js';
import {
  type CleanupCommand,
  GAME_ID_MAX_CHARACTERS,
  OP_KIND,
  type OperationEntry,
  type Removal,
} from '../domain/operation.js';
import type { Result } from '../domain/result.js';
import type { RuntimeRecord } from '../domain/runtime-record.js';
import { storable } from '../domain/text.js';
import type { CleanupObserver, OperationLog, Subject } from './ports.js';

export interface Operation {
  /** Remembers the record, so that the row names its image and container. */
  readonly saw: (record: RuntimeRecord) => void;
  /** The engine of this name is asked. */
  readonly uses: (engine: string) => void;
  readonly subjectOf: (containerId: string) => Subject;
  /** From here on the container may be removed at any time, whether or not the engine's answer arrives. */
  readonly removalIsSent: () => void;
  readonly hasSentRemoval: () => boolean;
  readonly containerIsGone: () => void;
  /** The row for a fresh success, to be appended together with the change of the record. */
  readonly successEntry: (removal: Removal, remark: string) => OperationEntry;
  /** The success row has been appended by that transaction. */
  readonly isLogged: () => void;
  /** For the message of an operation that broke off: what it had changed by then. */
  readonly whereItStopped: () => string;
  /**
   * Ends the operation: appends its row unless that is done, calls the observer, and returns the result. A row that
   * cannot be written is reported, never hidden, and does not change the outcome.
   */
  readonly conclude: <Ended extends Result>(result: Ended, cause?: unknown) => Promise<Ended>;
}

const WHERE_IT_STOPPED = {
  untouched: '; nothing was changed',
  removal_sent: '; the removal was asked for and may be carried out, and the next attempt will look again',
  gone: '; the container is gone, and the next attempt will change the record',
} as const;

interface Deps {
  readonly log: OperationLog;
  readonly observer: CleanupObserver;
  readonly clock: Clock;
}

export function createOperations(deps: Deps): { readonly begin: (command: CleanupCommand) => Operation } {
  return { begin: (command) => beginOperation(deps, command) };
}

function beginOperation({ log, observer, clock }: Deps, command: CleanupCommand): Operation {
  const startedMs = clock.monotonicMs();
  let record: RuntimeRecord | undefined;
  let container: keyof typeof WHERE_IT_STOPPED = 'untouched';
  let logged = false;
  let engine = '';

  function entry(ending: Pick<Result, 'outcome' | 'errorCode' | 'errorMessage' | 'removal'>): OperationEntry {
    return {
      gameId: storable(command.gameId.trim(), 2 * GAME_ID_MAX_CHARACTERS),
      opKind: OP_KIND,
      opSource: storable(command.opSource, 64),
      sourceRef: storable(command.sourceRef, 2 * GAME_ID_MAX_CHARACTERS),
      imageRef: record?.currentImageRef ?? '',
      containerId: record?.currentContainerId ?? '',
      outcome: ending.outcome,
      errorCode: ending.errorCode,
      errorMessage: storable(ending.errorMessage),
      elapsedMs: Math.round(clock.monotonicMs() - startedMs),
      jobId: command.jobId,
      attempt: command.attempt,
      removal: ending.removal,
      engine: storable(engine, 256),
      actor: '',
    };
  }

  async function conclude<Ended extends Result>(result: Ended, cause?: unknown): Promise<Ended> {
    const concluded = entry(result);
    if (!logged) {
      await log.append(concluded).catch((error: unknown) => observer.auditRowLost(concluded, error));
    }
    observer.concluded(concluded, cause);
    return result;
  }

  return {
    saw: (seen) => {
      record = seen;
    },
    uses: (name) => {
      engine = name;
    },
    subjectOf: (containerId) => ({ containerId, gameId: command.gameId.trim(), jobId: command.jobId }),
    removalIsSent: () => {
      container = 'removal_sent';
    },
    hasSentRemoval: () => container !== 'untouched',
    containerIsGone: () => {
      container = 'gone';
    },
    successEntry: (removal, remark) => entry({ outcome: 'success', errorCode: '', errorMessage: remark, removal }),
    isLogged: () => {
      logged = true;
    },
    whereItStopped: () => WHERE_IT_STOPPED[container],
    conclude,
  };
}
