import { expect, it } from 'vitest';
import { openBreaker } from '../../../src/app/open-breaker.js';
import { createShutdownStack } from '../../../src/app/shutdown-stack.js';
import { createManualClock } from '../../support/manual-clock.js';
import { unavailable } from '../circuit-breaker/breaker-world.js';
import { recordLog, recordTelemetry } from '../telemetry/recorded-telemetry.js';

function setUp() {
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  const { log, lines } = recordLog();
  const closing = createShutdownStack(log);
  const breaker = openBreaker({ config: { dockerTimeoutMs: 1_000 }, clock, log }, recorded.telemetry, closing);
  return { clock, lines, breaker, closing, points: recorded.points };
}

it('the breaker of a worker logs the start and the end of an outage once, and shows it in the metrics', async () => {
  const { breaker, clock, lines, points, closing } = setUp();
  for (let i = 0; i < 8; i++) breaker.startCall('postgresql').failed(unavailable('postgresql'));
  expect(await points()).toMatchObject([{ instrument: 'rtmanager.circuit.open', value: 1 }]);
  await clock.advance(2_500);
  breaker.startCall('postgresql').answered();
  expect(lines).toEqual([
    ['warn', 'dependency unavailable; jobs wait for it', { dependency: 'postgresql', reason: 'no answer' }],
    ['info', 'dependency answers again', { dependency: 'postgresql', unavailable_ms: 2_500 }],
  ]);
  expect(await points()).toMatchObject([{ instrument: 'rtmanager.circuit.open', value: 0 }]);
  await closing.closeAll();
});
