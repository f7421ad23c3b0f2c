import { expect, it } from 'vitest';
import { createHttpObserver } from '../../../src/telemetry/http-observer.js';
import { createLogger } from '../../../src/telemetry/logger.js';

it('an action of an operator leaves one log line with its actor and the request', () => {
  const lines: unknown[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createLogger({ level: 'info', name: 'runtime-cleanup', destination });
  const observer = createHttpObserver({ log, metrics: { recordRequest: () => undefined } });
  const detail = { engine: 'default', gone: ['game-1'] };
  observer.operatorActed({ requestId: 'r-1', actor: 'kim', action: 'engine accepted', detail });
  expect(lines).toMatchObject([{ msg: 'engine accepted', request_id: 'r-1', actor: 'kim', ...detail }]);
});
