/** Causes the faults of a history's schedule, and repairs all of them in the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFault, FaultRule } from '../../../support/engine/engine-fault-proxy.js';
import type { TcpFaultProxy } from '../../../support/network/tcp-fault-proxy.js';
import { POINTS } from '../../laboratory/points.js';
import type { Order } from '../../laboratory/step-control.js';
import type { Site } from '../../laboratory/site.js';
import { engineFaults } from '../engine-calls/faults.js';
import type { WorkerPool } from './worker-pool.js';
import { DOCKER_TIMEOUT_MS } from './draw.js';
import type { Game } from './history.js';
import type { Fault } from './schedule.js';

export interface Faults {
  /** Resolves to a description of the result, when the fault is over. */
  readonly commit: (fault: Fault) => Promise<string>;
  /** Ends those that are not over. */
  readonly end: () => void;
}

interface Deps {
  readonly site: Site;
  readonly workerPool: WorkerPool;
  readonly games: readonly Game[];
}

const LOOK_EVERY_MS = 50;

interface Active {
  readonly fault: EngineFault;
  readonly method: string;
  readonly nth: number;
}

export function createFaults({ site, workerPool, games }: Deps): Faults {
  const over = new AbortController();
  const known = new Map(engineFaults(DOCKER_TIMEOUT_MS).map(({ name, fault }) => [name, fault]));
  let active: Active | undefined;

  const rule: FaultRule = ({ method, nth }) =>
    active !== undefined && (active.method === 'any' || active.method === method) && nth % active.nth === 0
      ? active.fault
      : undefined;
  site.engine.use(rule);

  /** For so long, or until all faults end. */
  const lasting = (ms: number): Promise<void> => sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);

  const breakEngine = async ({ name, method, nth, forMs }: Extract<Fault, { kind: 'engine' }>): Promise<string> => {
    const fault = known.get(name);
    if (fault === undefined) throw new Error(`no fault of the engine has the name ${JSON.stringify(name)}`);
    active = { fault, method, nth };
    await lasting(forMs);
    active = undefined;
    return 'over';
  };

  const onLine = async (name: 'postgres' | 'redis', act: (line: TcpFaultProxy) => Promise<void>): Promise<string> => {
    const line = site.lines[name];
    if (line === undefined) return 'there is no such line';
    await act(line);
    return 'over';
  };

  const placeOrder = (pointName: string, signal: NodeJS.Signals, game: Game | undefined): Order => {
    const point = POINTS.find(({ name }) => name === pointName);
    if (point === undefined || game === undefined) throw new Error(`there is no ${JSON.stringify(pointName)}`);
    const about = point.step.startsWith('container') ? (game.containerId ?? game.gameId) : game.gameId;
    // The settlement names only its job; all other jobs of this site belong to the same history.
    return site.stepControl.order(point, signal, point.step === 'job settle' ? undefined : about);
  };

  const untilCarriedOut = async (order: Order): Promise<boolean> => {
    while (!order.isCarriedOut() && !over.signal.aborted) await lasting(LOOK_EVERY_MS);
    order.withdraw();
    return order.isCarriedOut();
  };

  const freezeAt = async ({ game, point, forMs }: Extract<Fault, { kind: 'freeze at' }>): Promise<string> => {
    const order = placeOrder(point, 'SIGSTOP', games[game]);
    if (!(await untilCarriedOut(order))) return 'no worker reached the point';
    const { pid, ns } = await order.carriedOut();
    await workerPool.frozeItself(pid, ns, lasting(forMs));
    return `worker ${pid} was frozen`;
  };

  const commit = async (fault: Fault): Promise<string> => {
    switch (fault.kind) {
      case 'engine':
        return breakEngine(fault);
      case 'swap': {
        const swapBack = site.swapEngine();
        if (swapBack === undefined) return 'there is no other engine';
        await lasting(fault.forMs);
        swapBack();
        return 'over';
      }
      case 'line':
        return onLine(fault.line, async (line) => {
          await line.use(fault.mode);
          await lasting(fault.forMs);
          await line.use('pass');
          // A connection that is never closed would stay open at the server for as long as the lane runs.
          if (fault.mode === 'lost-end') line.resetConnections();
        });
      case 'slow line':
        return onLine(fault.line, async (line) => {
          line.setLatency(fault.latencyMs);
          await lasting(fault.forMs);
          line.setLatency(0);
        });
      case 'cut line':
        return onLine(fault.line, async (line) => line.resetConnections());
      case 'kill':
        workerPool.kill(fault.worker);
        return 'over';
      case 'freeze':
        await workerPool.freeze(fault.worker, lasting(fault.forMs));
        return 'over';
      case 'kill at':
        return (await untilCarriedOut(placeOrder(fault.point, 'SIGKILL', games[fault.game])))
          ? 'carried out'
          : 'no worker reached the point';
      case 'freeze at':
        return freezeAt(fault);
    }
  };

  return { commit, end: () => over.abort() };
}
