/**
 * Waits for the steps that the program under test announces, so that a test reacts to the event and polls nothing.
 * Only steps of this process are heard: a worker in a process of its own has its own channel.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { STEP_CHANNEL, type StepMessage } from '../../src/async/step-events.js';
import { createChanges } from './changes.js';

export interface WantedStep {
  readonly step: string;
  readonly at: StepMessage['at'];
  /** Further conditions, for example `({ facts }) => facts['job.id'] === jobId`. */
  readonly where?: (message: StepMessage) => boolean;
  /** Which of the matching steps; default: the first. */
  readonly nth?: number;
}

interface WaitOptions {
  readonly timeoutMs?: number;
}

export interface StepRecording {
  /** The steps announced since the recording began, in their order. */
  readonly seen: () => readonly StepMessage[];
  /** Resolves to the matching step of the recording, now or later; rejects after `timeoutMs`. */
  readonly until: (wanted: WantedStep, options?: WaitOptions) => Promise<StepMessage>;
  readonly stop: () => void;
}

const TIMEOUT_MS = 10_000;

/** Resolves to the next step that matches: one that is announced after this call. Rejects after `timeoutMs`. */
export async function untilStep(wanted: WantedStep, options?: WaitOptions): Promise<StepMessage> {
  const steps = nextSteps();
  try {
    return await steps.until(wanted, options);
  } finally {
    steps.stop();
  }
}

/** Records the steps from now on: begin it before the work, so that no step is missed, and stop it when the test ends. */
export function nextSteps(): StepRecording {
  const seen: StepMessage[] = [];
  const announced = createChanges();
  const onMessage = (published: unknown): void => {
    seen.push(published as StepMessage);
    announced.notify();
  };
  subscribe(STEP_CHANNEL, onMessage);

  return {
    seen: () => [...seen],
    until: (wanted, { timeoutMs = TIMEOUT_MS } = {}) =>
      announced.until(
        () => {
          const found = seen.filter((message) => isWanted(message, wanted))[(wanted.nth ?? 1) - 1];
          if (found === undefined) throw new Error(notSeen(wanted, timeoutMs, seen));
          return found;
        },
        { withinMs: timeoutMs },
      ),
    stop: () => void unsubscribe(STEP_CHANNEL, onMessage),
  };
}

/** A worker of this process has written how the job ended, or, with `retry`, that it is to run again. */
export const jobSettled = (jobId: string, as: 'ended' | 'retry' = 'ended'): WantedStep => ({
  step: 'job settle',
  at: 'end',
  where: ({ facts, answer }) =>
    facts['job.id'] === jobId &&
    (facts['rtmanager.settlement'] === 'retry') === (as === 'retry') &&
    answer === 'written',
});

const isWanted = (message: StepMessage, { step, at, where }: WantedStep): boolean =>
  message.step === step && message.at === at && (where === undefined || where(message));

function notSeen({ step, at }: WantedStep, timeoutMs: number, seen: readonly StepMessage[]): string {
  const heard = seen.map((message) => `${message.step} ${message.at}`).join(', ');
  return `no matching "${step} ${at}" within ${timeoutMs} ms; announced meanwhile: ${heard === '' ? 'no step' : heard}`;
}
