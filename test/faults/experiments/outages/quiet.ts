/** What a worker does while it can do nothing: how much it writes, and how much it works. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Service } from '../../../support/service.js';

export interface Restlessness {
  readonly linesPerSecond: number;
  /** The most lines within any second of the log's own clock. */
  readonly mostInASecond: number;
  /** Of one core. */
  readonly cpuShare: number;
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());
// Fields 14 and 15; what comes before them is counted from behind the name, which may hold blanks.
const [USER_TICKS, SYSTEM_TICKS] = [11, 12];

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

interface Watch {
  /** From here on what it works counts. */
  readonly settle: () => void;
  readonly end: () => Restlessness;
}

export function watchWorker(worker: Service): Watch {
  const { pid } = worker.process;
  if (pid === undefined) throw new Error('the worker has no process id');
  const beganMs = performance.now();
  const linesBefore = worker.lines().length;
  let settled = { atMs: beganMs, cpu: cpuSeconds(pid) };
  return {
    settle: () => {
      settled = { atMs: performance.now(), cpu: cpuSeconds(pid) };
    },
    end: () => {
      const nowMs = performance.now();
      const lines = worker.lines().slice(linesBefore);
      const bySecond = new Map<string, number>();
      for (const { time } of lines) {
        const second = String(time).slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
        bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
      }
      return {
        linesPerSecond: (lines.length * 1_000) / (nowMs - beganMs),
        mostInASecond: Math.max(0, ...bySecond.values()),
        cpuShare: ((cpuSeconds(pid) - settled.cpu) * 1_000) / (nowMs - settled.atMs),
      };
    },
  };
}
