/**
 * The gate that jobs pass where a process has one engine only: while another engine answers at its address no job is
 * started, so that none burns an attempt and none makes a row.
 */
import type { JobGate } from '../circuit-breaker/job-gate.js';
import { createPermitQueue } from '../circuit-breaker/permit-queue.js';

export interface MismatchGate extends Pick<JobGate, 'admit' | 'shut'> {
  readonly hold: () => void;
  readonly lift: () => void;
}

const PERMIT = { release: () => undefined };

export function createMismatchGate(): MismatchGate {
  const waiting = createPermitQueue<typeof PERMIT>();
  let isHeld = false;
  return {
    hold: () => {
      isHeld = true;
    },
    lift: () => {
      isHeld = false;
      waiting.admitAll(PERMIT);
    },
    admit: async (signal) => {
      signal.throwIfAborted();
      return isHeld ? waiting.wait(signal) : PERMIT;
    },
    shut: waiting.shut,
  };
}
