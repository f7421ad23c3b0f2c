/**
 * The steps of a job, announced on a diagnostics channel where each begins and where it has ended. Whoever subscribes in
 * this process may look on, or stop the process right there: between any two steps a worker can die or freeze, and a
 * claim about that is worth what it was tried with. Without a subscriber a step is its work and nothing else.
 */
import { channel } from 'node:diagnostics_channel';

/** The channel's name; a message is a `StepMessage`. */
const STEP_CHANNEL = 'runtime-cleanup.step';

interface StepMessage {
  /** `lease acquire`, `take runtime_records`, `container look`, `container remove`, `job settle`, and so on. */
  readonly step: string;
  /** `start`: nothing was done yet. `end`: it was done, and nobody has been told. `error`: it threw. */
  readonly at: 'start' | 'end' | 'error';
  /** What it is about: game, container, job. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** At `end`: what came of it. */
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
