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

/** Subscribers run synchronously, before the work goes on. */
export async function withStepEvents<Answer>(
  step: string,
  facts: Readonly<Record<string, unknown>>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!steps.hasSubscribers) return work();
  const announce = (message: Omit<StepMessage, 'step' | 'facts'>): void => steps.publish({ step, facts, ...message });
  announce({ at: 'start' });
  try {
    const answer = await work();
    announce({ at: 'end', answer });
    return answer;
  } catch (thrown) {
    announce({ at: 'error' });
    throw thrown;
  }
}
