import type { ErrorCode, FailureCode } from '../../src/domain/error-codes.js';
import type { OpSource } from '../../src/domain/operation.js';
import type { RuntimeStatus } from '../../src/domain/runtime-record.js';

/** The states as the engine names them. A restarting container is `running` for short times. */
export type ContainerState = 'created' | 'exited' | 'running' | 'paused' | 'restarting';

export interface ContainerPlan {
  /** `removed`: it was created and has been removed since. */
  readonly state: ContainerState | 'removed';
  /** The game that its `com.galaxy.game_id` label names. */
  readonly label: 'own' | 'another game' | 'none';
  /** With an anonymous volume, which must be removed with the container. */
  readonly volume: boolean;
  /** The engine restarts it whenever it exits by itself, but not after it was stopped by hand. */
  readonly restarts: boolean;
  /** After the container was removed, another container of the same game got the old one's id as its name. */
  readonly idReusedAsName: boolean;
}

export interface RecordPlan {
  readonly status: RuntimeStatus;
  readonly container: 'full id' | 'short id' | 'none';
  readonly stoppedDaysAgo: number;
  /** Who put a retention hold on the game: another service in the database, or an operator by command line. */
  readonly held: 'no' | 'by another service' | 'by command line';
}

/** What a service that requests a cleanup knows about the game. */
export interface KnownGame {
  readonly gameId: string;
  /** The container created for it; the empty string when it has none. */
  readonly containerId: string;
}

export type RequestPlan =
  /** By another service, with plain BullMQ and without any job option. */
  | { readonly by: 'bullmq'; readonly jobName: string; readonly data: (game: KnownGame) => unknown }
  /** By `runtime-cleanup enqueue`, in a separate process. */
  | { readonly by: 'cli'; readonly source: OpSource }
  /** No request is made for this game; a sweep requests its cleanup if the container is due. */
  | { readonly by: 'sweep' }
  /** By an administrator through HTTP, who waits for the answer. */
  | { readonly by: 'http' };

/** What else happens to the game, besides the requests. */
export type Event =
  | 'nothing'
  /** Another service holds the game's lease and releases it after the first refusal. */
  | 'lease released'
  | 'lease held throughout'
  /** Another service starts the game again after the request, before the worker reads it. */
  | 'started again'
  /** The worker process is killed while it runs this game's job. */
  | 'worker killed'
  /** Another engine answers when it is requested, and the right one again afterwards. */
  | 'engine replaced'
  /** Its job is a dead letter; the platform repairs the record, and an operator replays the job. */
  | 'repaired, replayed by command line'
  | 'repaired, replayed through HTTP';

export type JobOutcome = 'completed' | `completed ${Exclude<ErrorCode, ''>}` | `dead letter ${FailureCode}`;
export type OperationOutcome = 'success' | Exclude<ErrorCode, ''>;

/** What must be true of each game of a scenario when the demo ends. */
export interface Expected {
  readonly engine: 'gone' | 'no container' | ContainerState;
  readonly record: 'removed' | 'unchanged' | 'absent';
  /** The operation log's rows, oldest first. */
  readonly operations: readonly OperationOutcome[];
  /** More conflicts may be logged: how many depends on timing. */
  readonly moreConflicts: boolean;
  /** One for each expected job, in any order. */
  readonly jobs: readonly JobOutcome[];
}

export interface Scenario {
  readonly name: string;
  /** How many games, or their ids where the ids matter. */
  readonly games: number | readonly string[];
  readonly container: ContainerPlan | null;
  readonly record: RecordPlan | null;
  readonly requests: readonly RequestPlan[];
  readonly event: Event;
  readonly expected: Expected;
}
