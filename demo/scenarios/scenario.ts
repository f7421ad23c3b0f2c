import type { ErrorCode, FailureCode } from '../../src/domain/error-codes.js';
import type { OpSource } from '../../src/domain/operation.js';
import type { RuntimeStatus } from '../../src/domain/runtime-record.js';

/** The engine's own words. A restarting container is `running` now and then. */
export type ContainerState = 'created' | 'exited' | 'running' | 'paused' | 'restarting';

export interface ContainerPlan {
  /** `removed`: it was made, and somebody has removed it since. */
  readonly state: ContainerState | 'removed';
  /** Whose name its `com.galaxy.game_id` label carries. */
  readonly label: 'own' | 'another game' | 'none';
  /** With an anonymous volume, which must go when the container goes. */
  readonly volume: boolean;
  /** It starts again whenever it ends by itself; stopped by hand, it stays so. */
  readonly restarts: boolean;
  /** After the container was removed, another one of the same game got the old one's id for a name. */
  readonly impostor: boolean;
}

export interface RecordPlan {
  readonly status: RuntimeStatus;
  readonly container: 'full id' | 'short id' | 'none';
  readonly stoppedDaysAgo: number;
  /** Whether somebody has put a retention hold on the game: another service, or an operator with our command line. */
  readonly held: 'no' | 'elsewhere' | 'by command line';
}

/** A game, as those who ask for its cleanup know it. */
export interface KnownGame {
  readonly gameId: string;
  /** The container made for it; the empty string where there is none. */
  readonly containerId: string;
}

export type RequestPlan =
  /** Another service, with nothing but BullMQ and no job option at all. */
  | { readonly by: 'bullmq'; readonly jobName: string; readonly data: (game: KnownGame) => unknown }
  /** `runtime-cleanup enqueue`, a process of its own. */
  | { readonly by: 'cli'; readonly source: OpSource }
  /** Nobody asks for this game; a sweep comes by, and asks if the container is due. */
  | { readonly by: 'sweep' }
  /** An administrator, through HTTP, who waits for the answer. */
  | { readonly by: 'http' };

/** What else happens, other than that somebody asks. */
export type Event =
  | 'nothing'
  /** Another service holds the game's lease and gives it back after the first refusal. */
  | 'lease given back'
  | 'lease held throughout'
  /** Another service starts the game again after the request, before the worker sees it. */
  | 'started again'
  /** The worker is killed while it runs this game's job. */
  | 'worker killed'
  /** Its job is a dead letter; the platform mends the record, and an operator replays the job. */
  | 'mended, replayed by command line'
  | 'mended, replayed through HTTP';

export type JobWord = 'completed' | `completed ${Exclude<ErrorCode, ''>}` | `dead letter ${FailureCode}`;
export type OperationWord = 'success' | Exclude<ErrorCode, ''>;

/** What must be true of each game of a scenario in the end. */
export interface Expected {
  readonly engine: 'gone' | 'no container' | ContainerState;
  readonly record: 'removed' | 'unchanged' | 'absent';
  /** The operation log's rows, oldest first. */
  readonly operations: readonly OperationWord[];
  /** How many conflicts are logged besides depends on who was faster. */
  readonly moreConflicts: boolean;
  /** One for each job that there must be, in any order. */
  readonly jobs: readonly JobWord[];
}

export interface Scenario {
  readonly name: string;
  /** How many games, or which, where the ids matter. */
  readonly games: number | readonly string[];
  readonly container: ContainerPlan | null;
  readonly record: RecordPlan | null;
  readonly requests: readonly RequestPlan[];
  readonly event: Event;
  readonly expected: Expected;
}
