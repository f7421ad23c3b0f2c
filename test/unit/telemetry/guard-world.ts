import { createBreaker } from '../../../src/circuit-breaker/breaker.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

/** A guard made of recorded telemetry and a breaker, and the outages that the breaker has reported. */
export function createGuardWorld() {
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  const after = async <Answer>(ms: number, answer: Answer): Promise<Answer> => {
    clock.skip(ms);
    return answer;
  };
  const noAnswer = async (): Promise<never> => {
    clock.skip(750);
    throw new UnavailableError('redis', 'the store does not answer');
  };
  const opened: string[] = [];
  const report = {
    opened: (dependency: string) => void opened.push(dependency),
    stillOpen: () => undefined,
    closed: () => undefined,
  };
  const breaker = createBreaker({ clock, report });
  return { ...recorded, guard: { ...recorded.telemetry, breaker }, opened, clock, after, noAnswer };
}
