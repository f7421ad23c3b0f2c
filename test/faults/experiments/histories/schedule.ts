/** What happens in a seeded history, and when. Nothing here is random; `draw.ts` draws it. */
import type { TcpMode } from '../../../support/network/tcp-fault-proxy.js';
import type { Store } from '../../experiment.js';

/** How a game stands when its history begins. */
export type Situation =
  | 'due'
  | 'just stopped'
  | 'running'
  | 'removed'
  | 'held'
  | 'without container'
  /** The record names a container that is gone. */
  | 'gone'
  /** So it does here, and another container bears that id as its name. */
  | 'gone, its id is a name'
  /** The record names a container whose label names another game. */
  | 'foreign'
  /** The record names the first digits of a stranger's container. */
  | 'short id'
  | 'no record';

/** Of the game with this number. */
interface OfGame {
  readonly game: number;
}

export type Service =
  | 'start'
  | 'stop'
  | 'restart'
  | 'recreate'
  | 'rename'
  /** Without lease, fence, or a word in the record. */
  | 'rude start'
  | 'rude stop';

type Source = 'admin_rest' | 'gm_rest' | 'lobby_stream' | 'operator_cli' | 'auto_ttl';

export type Operation =
  | (OfGame & { readonly kind: 'service'; readonly what: Service })
  /** `plain`: any BullMQ client. `command`: by the program's own producer. `expected`: of the container that the record names. */
  | (OfGame & {
      readonly kind: 'ask';
      readonly how: 'plain' | 'command' | 'expected' | 'expected another' | 'nonsense';
      readonly source: Source;
    })
  | { readonly kind: 'sweep' }
  | (OfGame & { readonly kind: 'hold' | 'unhold' })
  /** Of all dead letters of the game. */
  | (OfGame & { readonly kind: 'replay' | 'purge' })
  /** Another holder has the lease and does nothing. */
  | (OfGame & { readonly kind: 'occupy'; readonly forMs: number });

export type Fault =
  /** `name`: of the laboratory's faults on calls of the engine; every `nth` request of `method` meets it. */
  | {
      readonly kind: 'engine';
      readonly name: string;
      readonly method: 'GET' | 'DELETE' | 'any';
      readonly nth: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'line';
      readonly line: 'postgres' | 'redis';
      readonly mode: Exclude<TcpMode, 'pass'>;
      readonly forMs: number;
    }
  | {
      readonly kind: 'slow line';
      readonly line: 'postgres' | 'redis';
      readonly latencyMs: number;
      readonly forMs: number;
    }
  /** Every connection that is open is reset, once. */
  | { readonly kind: 'cut line'; readonly line: 'postgres' | 'redis' }
  /** Another engine, without containers, answers at the address. */
  | { readonly kind: 'swap'; readonly forMs: number }
  | { readonly kind: 'kill'; readonly worker: number }
  | { readonly kind: 'freeze'; readonly worker: number; readonly forMs: number }
  /** The first worker that comes by the point with something of this game. */
  | (OfGame & { readonly kind: 'kill at'; readonly point: string })
  | (OfGame & { readonly kind: 'freeze at'; readonly point: string; readonly forMs: number });

export type Act = Operation | Fault;

export interface Step {
  /** Since the history began. */
  readonly atMs: number;
  readonly act: Act;
}

export interface Schedule {
  readonly seed: number;
  readonly store: Store;
  readonly games: readonly Situation[];
  /** In the order in which they begin. */
  readonly steps: readonly Step[];
  /** When every fault ends at the latest. */
  readonly endsMs: number;
  /** The games for which the retention has passed when all is over. */
  readonly aged: readonly number[];
}

const SERVED: ReadonlySet<Situation> = new Set<Situation>([
  'due',
  'just stopped',
  'running',
  'removed',
  'held',
  'gone',
]);

/** Whether the other service starts and stops it: what it finds by a record that is wrong, it would start and stop too. */
export const isServed = (situation: Situation): boolean => SERVED.has(situation);

export function shownSchedule({ seed, store, games, steps, endsMs, aged }: Schedule): readonly string[] {
  return [
    `seed ${seed} on ${store}: ${games.map((situation, game) => `game ${game} ${situation}`).join('; ')}`,
    ...steps.map(({ atMs, act }) => `${String(atMs).padStart(6)} ms ${shownAct(act)}`),
    `${String(endsMs).padStart(6)} ms all faults have ended; time passes for ${aged.length === 0 ? 'no game' : `game ${aged.join(', ')}`}`,
  ];
}

export function shownAct(act: Act): string {
  switch (act.kind) {
    case 'service':
      return `game ${act.game}: ${act.what}`;
    case 'ask':
      return `game ${act.game}: ask for its cleanup, ${act.how}, ${act.source}`;
    case 'sweep':
      return 'sweep';
    case 'hold':
    case 'unhold':
      return `game ${act.game}: ${act.kind}`;
    case 'replay':
    case 'purge':
      return `game ${act.game}: ${act.kind} its dead letters`;
    case 'occupy':
      return `game ${act.game}: hold its lease for ${act.forMs} ms`;
    case 'engine':
      return `engine: ${act.name}, every ${act.nth}. request (${act.method}), for ${act.forMs} ms`;
    case 'swap':
      return `another engine, without containers, at the address for ${act.forMs} ms`;
    case 'line':
      return `line to ${act.line}: ${act.mode} for ${act.forMs} ms`;
    case 'slow line':
      return `line to ${act.line}: ${act.latencyMs} ms late each way for ${act.forMs} ms`;
    case 'cut line':
      return `line to ${act.line}: connections reset`;
    case 'kill':
      return `worker ${act.worker}: SIGKILL`;
    case 'freeze':
      return `worker ${act.worker}: SIGSTOP for ${act.forMs} ms`;
    case 'kill at':
      return `game ${act.game}: SIGKILL ${act.point}`;
    case 'freeze at':
      return `game ${act.game}: SIGSTOP ${act.point} for ${act.forMs} ms`;
  }
}
