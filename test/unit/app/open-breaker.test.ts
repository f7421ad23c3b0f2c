import { afterEach, expect, it } from 'vitest';
import { openBreaker } from '../../../src/app/open-breaker.js';
import { createShutdownStack } from '../../../src/app/shutdown-stack.js';
import type { Log } from '../../../src/telemetry/logger.js';
import { createManualClock } from '../../support/manual-clock.js';
import { unavailable } from '../circuit-breaker/breaker-world.js';
import { recordTelemetry } from '../telemetry/recorded-telemetry.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setUp() {
  const clock = createManualClock();
  const recorded = recordTelemetry(clock);
  stops.push(recorded.stop);
  const lines: unknown[] = [];
  const write =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push([level, message, fields]);
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const closing = createShutdownStack(log);
  const breaker = openBreaker({ config: { dockerTimeoutMs: 1_000 }, clock, log }, recorded.telemetry, closing);
  return { clock, lines, breaker, closing, points: recorded.points };
}

it("a worker's breaker logs one line when an outage begins, one when it ends, and shows the outage in the metrics", async () => {
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
