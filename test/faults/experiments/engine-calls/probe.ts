/** Calls the engine as the product does, and says how each call ended: when, with what, and what it left behind. */
import { getEventListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createDocker, pingEngine } from '../../../../src/adapters/docker/connection.js';
import { createContainerEngine } from '../../../../src/adapters/docker/container-engine.js';
import { type Clock, systemClock } from '../../../../src/async/clock.js';
import { messageOf, UnavailableError } from '../../../../src/domain/errors.js';
import type { EngineFaultProxy } from '../../../support/engine/engine-fault-proxy.js';
import { eventually } from '../../../support/eventually.js';
import type { Finding, Violation } from '../../experiment.js';
import type { Broken } from '../../laboratory/checks.js';

export type Call = 'look' | 'remove' | 'ping';

/** `outage`: an UnavailableError. `other`: what no caller of the port expects. */
export type EndingKind = 'gone' | 'present' | 'still_there' | 'facts' | 'outage' | 'other';

interface Ending {
  readonly kind: EndingKind;
  readonly text: string;
  /** Empty when the call settled in its time. */
  readonly broken: readonly Broken[];
}

export interface Probe {
  readonly call: (call: Call, host: string, containerId: string) => Promise<Ending>;
  /** What the calls so far have left behind on this side, and at the proxies they went to. */
  readonly leftovers: (proxies: readonly EngineFaultProxy[]) => Promise<readonly Broken[]>;
}

/** How often each call may wait for an answer: a removal whose answer is lost is looked into. */
const REQUESTS: Readonly<Record<Call, number>> = { look: 1, remove: 2, ping: 1 };
const TOLERANCE_MS = 100;
const RESOLUTION_MS = 10;

export const asViolations = (
  broken: readonly Broken[],
  seed: number,
  history: readonly string[],
): readonly Violation[] => broken.map(({ check, what }) => ({ check, what, seed, history }));

export function createProbe(timeoutMs: number): Probe {
  const timers = new Set<symbol>();
  const clock = countingClock(timers);
  const { signal } = new AbortController();
  const clients = new Map<string, ReturnType<typeof createDocker>>();

  const ask = async (call: Call, host: string, containerId: string): Promise<{ readonly kind: EndingKind }> => {
    const docker = clients.get(host) ?? createDocker({ host });
    clients.set(host, docker);
    const engine = createContainerEngine({ docker, clock, timeoutMs });
    switch (call) {
      case 'look':
        return engine.look(containerId, signal);
      case 'remove':
        return engine.remove(containerId, signal);
      case 'ping':
        await pingEngine({ docker, clock, timeoutMs, signal });
        return { kind: 'facts' };
    }
  };

  const endingOf = async (asked: Promise<{ readonly kind: EndingKind }>): Promise<Omit<Ending, 'broken'>> => {
    try {
      const { kind } = await asked;
      return { kind, text: kind };
    } catch (error) {
      const kind = error instanceof UnavailableError ? 'outage' : 'other';
      return { kind, text: String(error) };
    }
  };

  return {
    call: async (call, host, containerId) => {
      const lag = await measureLag();
      const startedMs = performance.now();
      const { kind, text } = await endingOf(ask(call, host, containerId));
      const elapsedMs = performance.now() - startedMs;
      const lagMs = await lag.longestMs();
      // One such time until the loop comes to the timer, and one while it carries out what else has fallen due.
      const limitMs = REQUESTS[call] * (timeoutMs + 2 * lagMs) + TOLERANCE_MS;
      const broken: Broken[] = [];
      if (elapsedMs > limitMs) {
        const what = `${call} took ${Math.round(elapsedMs)} ms of ${Math.round(limitMs)} ms (lag ${Math.round(lagMs)} ms): ${text}`;
        broken.push({ check: 'a call ends with its deadline', what });
      }
      if (kind === 'other') broken.push({ check: 'a call ends with an answer or an outage', what: `${call}: ${text}` });
      return { kind, text, broken };
    },
    leftovers: async (proxies) => {
      const found = await Promise.all([
        shown('timers', () => timers.size),
        shown('listeners on the signal', () => getEventListeners(signal, 'abort').length),
        shown('requests at the proxies', () => proxies.reduce((sum, proxy) => sum + proxy.pending(), 0)),
      ]);
      return found.flat();
    },
  };
}

/** The real clock, whose timers are known: the product's do not keep the process alive, so that Node does not list them. */
const countingClock = (timers: Set<symbol>): Clock => ({
  ...systemClock,
  after: (delayMs, fn) => {
    const timer = Symbol('timer');
    timers.add(timer);
    const cancel = systemClock.after(delayMs, () => {
      timers.delete(timer);
      fn();
    });
    return () => {
      timers.delete(timer);
      cancel();
    };
  },
});

/**
 * The longest time that this process's event loop took to come round since now, so how late a timer can have been. A
 * shared machine stops it for a while; that is no fault of a call.
 */
const measureLag = async () => {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  /** It measures from one tick to the next, and JavaScript's own timers may run several times between two. */
  const nextTick = async (): Promise<void> => {
    const { count } = delays;
    while (delays.count === count) {
      await sleep(RESOLUTION_MS);
      await nextTurn();
    }
  };
  await nextTick();
  return {
    longestMs: async (): Promise<number> => {
      await nextTick();
      delays.disable();
      return delays.max / 1e6;
    },
  };
};

/** Sockets that keep this process alive; those that wait for a next call do not. */
const activeSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(?:Pipe|TCPSocket|TLS)(?:Wrap|ConnectWrap)$/.test(name)).length;

/** Adds what `work` leaves open in this process after it has closed everything of its own. */
export async function leavingNothing(
  seed: number,
  work: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const before = activeSockets();
  const findings = await work();
  const broken = await shown('sockets', () => activeSockets() - before);
  if (broken.length === 0) return findings;
  const violations = asViolations(broken, seed, []);
  return [...findings, { fault: 'engine: all of these', store: 'both', runs: 1, violations, recoveriesMs: [] }];
}

const shown = async (what: string, count: () => number): Promise<readonly Broken[]> => {
  try {
    await eventually(() => {
      const left = count();
      if (left > 0) throw new Error(`${left} ${what}`);
    });
    return [];
  } catch (error) {
    return [{ check: 'a call leaves nothing behind', what: messageOf(error) }];
  }
};
