/**
 * Publishes start, end and error of each step of a job on a diagnostics channel, so that tests can wait for a step and
 * fault tests can kill or freeze the worker between any two of them. Does nothing without subscribers.
 */
import { channel } from 'node:diagnostics_channel';

/** The channel's name; a message is a `StepMessage`. */
export const STEP_CHANNEL = 'runtime-cleanup.step';

export interface StepMessage {
  /** `lease acquire`, `take runtime_records`, `container look`, `container remove`, `job settle`, and so on. */
  readonly step: string;
  /** `start`: the work has not begun. `end`: it is done, and the caller does not know yet. `error`: it threw. */
  readonly at: 'start' | 'end' | 'error';
  /** The game, container or job of the step. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** At `end`: the result of the work. */
  readonly answer?: unknown;
}

const steps = channel(STEP_CHANNEL);

/** Both members publish the end of a step that has begun; exactly one of them is to be called. */
export interface StartedStep {
  readonly ended: (answer: unknown) => void;
  readonly failed: () => void;
}

const UNHEARD: StartedStep = { ended: () => undefined, failed: () => undefined };

/** Publishes the start of a step. Subscribers run synchronously, before the caller goes on. */
export function startStep(step: string, facts: StepMessage['facts']): StartedStep {
  if (!steps.hasSubscribers) return UNHEARD;
  const announce = (message: Omit<StepMessage, 'step' | 'facts'>): void => steps.publish({ step, facts, ...message });
  announce({ at: 'start' });
  return { ended: (answer) => announce({ at: 'end', answer }), failed: () => announce({ at: 'error' }) };
}

/** Runs `work` as a step; `work` is started synchronously. */
export async function withStepEvents<Answer>(
  step: string,
  facts: StepMessage['facts'],
  work: () => Promise<Answer>,
): Promise<Answer> {
  const started = startStep(step, facts);
  try {
    const answer = await work();
    started.ended(answer);
    return answer;
  } catch (thrown) {
    started.failed();
    throw thrown;
  }
}
