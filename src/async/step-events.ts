/**
 * Publishes start, end and error of each step of a job on a diagnostics channel, so that fault tests can kill or freeze the
 * worker between any two steps. Does nothing without subscribers.
 */
import { channel } from 'node:diagnostics_channel';

/** The channel's name; a message is a `StepMessage`. */
const STEP_CHANNEL = 'runtime-cleanup.step';

interface StepMessage {
  /** `lease acquire`, `take runtime_records`, `container look`, `container remove`, `job settle`, and so on. */
  readonly step: string;
  /** `start`: the step has not begun. `end`: it is done, and its caller has no answer yet. `error`: it threw. */
  readonly at: 'start' | 'end' | 'error';
  /** The step's subject: game, container, job. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** At `end`: the step's answer. */
  readonly answer?: unknown;
}

const steps = channel(STEP_CHANNEL);

/** Subscribers run at once, before the work goes on. */
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
