import type { Clock } from '../src/async/clock.js';
import { retryUntil } from '../src/async/retry-until.js';
import { DemoError } from './errors.js';

/** What every wait needs: the time, and the signal that ends the demo. */
export interface WaitContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Condition {
  /** What is waited for, for the error message. */
  readonly what: string;
  readonly everyMs: number;
  readonly withinMs: number;
}

/** Resolves to true once `isTrue` does, to false when the time is over; rejects with the signal's reason on an abort. */
export async function becomesTrue(
  context: WaitContext,
  { everyMs, withinMs }: Pick<Condition, 'everyMs' | 'withinMs'>,
  isTrue: () => Promise<boolean>,
): Promise<boolean> {
  const notYet = new DemoError('the condition is not true yet');
  const attempt = async (): Promise<void> => {
    if (!(await isTrue())) throw notYet;
  };
  try {
    await retryUntil(attempt, { ...context, everyMs, limitMs: withinMs, mayPass: (error) => error === notYet });
    return true;
  } catch (error) {
    if (error === notYet) return false;
    throw error;
  }
}

/** Like `becomesTrue`, but rejects with a DemoError when the time is over. */
export async function waitUntil(
  context: WaitContext,
  condition: Condition,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  if (await becomesTrue(context, condition, isTrue)) return;
  throw new DemoError(`${condition.what} took longer than ${condition.withinMs / 1_000} s`);
}
