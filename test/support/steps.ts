/**
 * Waits for the steps that the program under test announces, so that a test reacts to the event and polls nothing.
 * Only steps of this process are heard: a worker in a process of its own has its own channel.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { STEP_CHANNEL, type StepMessage } from '../../src/async/step-events.js';

export interface WantedStep {
  readonly step: string;
  readonly at: StepMessage['at'];
  /** Further conditions, for example `({ facts }) => facts['job.id'] === jobId`. */
  readonly where?: (message: StepMessage) => boolean;
}

interface WaitOptions {
  readonly timeoutMs?: number;
}

export interface StepRecording {
  /** The steps announced since the recording began, in their order. */
  readonly seen: () => readonly StepMessage[];
  /** Resolves to the first matching step of the recording, now or later; rejects after `timeoutMs`. */
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
  const waiting = new Set<(message: StepMessage) => void>();
  const onMessage = (published: unknown): void => {
    const message = published as StepMessage;
    seen.push(message);
    for (const notify of waiting) notify(message);
  };
  subscribe(STEP_CHANNEL, onMessage);

  return {
    seen: () => [...seen],
    until: async (wanted, { timeoutMs = TIMEOUT_MS } = {}) => {
      const already = seen.find((message) => isWanted(message, wanted));
      if (already !== undefined) return already;
      const expiry = new AbortController();
      let notify: (message: StepMessage) => void = () => undefined;
      const found = new Promise<StepMessage>((resolve) => {
        notify = (message) => {
          if (isWanted(message, wanted)) resolve(message);
        };
        waiting.add(notify);
      });
      const expired = sleep(timeoutMs, undefined, { signal: expiry.signal }).then(
        () => Promise.reject(new Error(notSeen(wanted, timeoutMs, seen))),
        () => new Promise<never>(() => undefined),
      );
      try {
        return await Promise.race([found, expired]);
      } finally {
        waiting.delete(notify);
        expiry.abort();
      }
    },
    stop: () => void unsubscribe(STEP_CHANNEL, onMessage),
  };
}

const isWanted = (message: StepMessage, { step, at, where }: WantedStep): boolean =>
  message.step === step && message.at === at && (where === undefined || where(message));

function notSeen({ step, at }: WantedStep, timeoutMs: number, seen: readonly StepMessage[]): string {
  const heard = seen.map((message) => `${message.step} ${message.at}`).join(', ');
  return `no matching "${step} ${at}" within ${timeoutMs} ms; announced meanwhile: ${heard === '' ? 'no step' : heard}`;
}
