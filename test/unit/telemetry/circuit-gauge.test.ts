import { afterEach, expect, it } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

let stop = async (): Promise<void> => undefined;
afterEach(() => stop());

it('the circuit gauge tells of each dependency whether jobs wait for it, until nobody watches', async () => {
  const recorded = recordTelemetry(createManualClock());
  stop = recorded.stop;
  const states = [
    { dependency: 'docker', away: true },
    { dependency: 'postgresql', away: false },
  ];
  let asked = 0;
  const unwatch = recorded.telemetry.metrics.watchCircuits(() => {
    asked += 1;
    return states;
  });
  expect(await recorded.points()).toMatchObject([
    { instrument: 'rtmanager.circuit.open', attributes: { dependency: 'docker' }, value: 1 },
    { instrument: 'rtmanager.circuit.open', attributes: { dependency: 'postgresql' }, value: 0 },
  ]);
  unwatch();
  await recorded.points();
  expect(asked).toBe(1);
});
