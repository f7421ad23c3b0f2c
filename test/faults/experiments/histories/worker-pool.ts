/** The worker processes of a lane, as a supervisor keeps them: a worker that exits is replaced. They outlive the histories. */
import type { Service } from '../../../support/service.js';
import { nowNs } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import type { Frozen } from './history.js';

export interface WorkerPool {
  readonly kill: (worker: number) => void;
  /** Freezes one for as long as `until` takes. */
  readonly freeze: (worker: number, until: Promise<unknown>) => Promise<void>;
  /** The same for one that froze by itself. */
  readonly frozeItself: (pid: number, fromNs: number, until: Promise<unknown>) => Promise<void>;
  /** Resolves when all work that should. */
  readonly complete: () => Promise<void>;
  /** The spans in which workers were frozen, since the last call. */
  readonly takeFrozen: () => readonly Frozen[];
  /** From now on no worker is replaced. */
  readonly dismiss: () => Promise<void>;
}

/** More processes that start at a time keep each other from it on a small machine. */
const STARTING_AT_A_TIME = 2;
const starts = Array.from({ length: STARTING_AT_A_TIME }, () => Promise.resolve());
let nextStart = 0;

/** One after the other in each row, over all lanes. */
function inRow(start: () => Promise<void>): Promise<void> {
  const row = nextStart++ % STARTING_AT_A_TIME;
  const turn = (starts[row] ?? Promise.resolve()).then(start);
  starts[row] = turn.catch(() => undefined);
  return turn;
}

export function createWorkerPool(site: Site, size: number): WorkerPool {
  const places: (Service | undefined)[] = Array.from({ length: size }, () => undefined);
  const coming = new Map<number, Promise<void>>();
  let frozen: Frozen[] = [];
  let isOver = false;

  const staff = async (place: number): Promise<void> => {
    try {
      if (isOver) return;
      const worker = await site.startWorker();
      places[place] = worker;
      void worker.exit.then(() => {
        places[place] = undefined;
        if (!isOver) replace(place);
      });
    } finally {
      coming.delete(place);
    }
  };
  const replace = (place: number): void => {
    const arrival = inRow(() => staff(place));
    // A caller that waits for all of them gets the error; there may be no such caller.
    arrival.catch(() => undefined);
    coming.set(place, arrival);
  };

  const thaw = async (pid: number, fromNs: number, until: Promise<unknown>): Promise<void> => {
    await until;
    const toNs = nowNs();
    frozen.push({ pid, fromNs, toNs });
    // It may have been killed meanwhile.
    const isHere = places.some((worker) => worker?.process.pid === pid);
    if (isHere) process.kill(pid, 'SIGCONT');
  };

  return {
    kill: (place) => places[place]?.signal('SIGKILL'),
    freeze: async (place, until) => {
      const worker = places[place];
      const pid = worker?.process.pid;
      if (worker === undefined || pid === undefined) return;
      worker.signal('SIGSTOP');
      await thaw(pid, nowNs(), until);
    },
    frozeItself: thaw,
    complete: async () => {
      for (const place of places.keys()) if (places[place] === undefined && !coming.has(place)) replace(place);
      await Promise.all(coming.values());
    },
    takeFrozen: () => {
      const taken = frozen;
      frozen = [];
      return taken;
    },
    dismiss: async () => {
      isOver = true;
      await Promise.allSettled(coming.values());
    },
  };
}
