/** Runs pieces of work in so many lanes at a time; each lane does one after the other with a site of its own. */
import type { Servers, Store } from '../experiment.js';
import { openSite, type Site } from './site.js';

interface Lanes<Work> {
  readonly servers: Servers;
  readonly store: Store;
  readonly lanes: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly work: readonly Work[];
  /** Called once per lane before its first piece. */
  readonly prepare?: (site: Site) => Promise<void>;
  readonly each: (site: Site, work: Work) => Promise<void>;
}

export async function inLanes<Work>({ servers, store, lanes, environment = {}, work, prepare, each }: Lanes<Work>) {
  const left = [...work];
  const lane = async (index: number): Promise<void> => {
    const site = await openSite(servers, { store, lane: index, environment });
    try {
      await prepare?.(site);
      for (let next = left.shift(); next !== undefined; next = left.shift()) await each(site, next);
    } catch (error) {
      // The other lanes end in order first: their servers are stopped after that.
      left.length = 0;
      throw error;
    } finally {
      await site.close();
    }
  };
  const count = Math.min(lanes, work.length);
  const ended = await Promise.allSettled(Array.from({ length: count }, (_, index) => lane(index)));
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}
