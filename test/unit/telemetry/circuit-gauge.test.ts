import { expect, it } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

it('the circuit gauge shows for each dependency whether jobs wait for it, until it is stopped', async () => {
  const recorded = recordTelemetry(createManualClock());
  const states = [
    { dependency: 'docker', isOpen: true },
    { dependency: 'postgresql', isOpen: false },
  ];
  let asked = 0;
  const stopObserving = recorded.telemetry.metrics.observeCircuits(() => {
    asked += 1;
    return states;
  });
  expect(await recorded.points()).toMatchObject([
    { instrument: 'rtmanager.circuit.open', attributes: { dependency: 'docker' }, value: 1 },
    { instrument: 'rtmanager.circuit.open', attributes: { dependency: 'postgresql' }, value: 0 },
  ]);
  stopObserving();
  await recorded.points();
  expect(asked).toBe(1);
});
