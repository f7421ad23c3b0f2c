import { describe, expect, it } from 'vitest';
import { createLogger, type LoggerOptions } from '../../../src/telemetry/logger.js';
import { createManualClock } from '../../support/manual-clock.js';
import { recordTelemetry } from './recorded-telemetry.js';

function setup(level: LoggerOptions['level'] = 'debug') {
  const written: string[] = [];
  const log = createLogger({ level, name: 'runtime-cleanup', destination: { write: (line) => written.push(line) } });
  return { log, written, lines: () => written.map((line): unknown => JSON.parse(line)) };
}

describe('the log', () => {
  it('the log writes one JSON object per line: fields, constant message, level by name, ISO time', () => {
    const { log, written, lines } = setup();
    log.info({ game_id: 'g\n1' }, 'cleanup succeeded');
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^[^\n]*\n$/);
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        name: 'runtime-cleanup',
        game_id: 'g\n1',
        msg: 'cleanup succeeded',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      }),
    ]);
  });

  it('the log leaves out lines below its level', () => {
    const { log, lines } = setup('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines()).toMatchObject([{ msg: 'c' }, { msg: 'd' }]);
  });

  it('the log writes an exception under err with its stack and its cause', () => {
    const { log, lines } = setup();
    log.error({ err: new TypeError('outer', { cause: new RangeError('inner') }) }, 'broken');
    expect(lines()).toMatchObject([
      { err: { type: 'TypeError', message: 'outer: inner', stack: expect.stringContaining('RangeError') as unknown } },
    ]);
  });

  it('the log writes the ids of the active span, and no ids outside a span', () => {
    const recorded = recordTelemetry(createManualClock());
    const { log, lines } = setup();
    log.info({}, 'outside');
    const ids = recorded.telemetry.tracer.startActiveSpan('work', (span) => {
      log.info({}, 'inside');
      span.end();
      return span.spanContext();
    });
    expect(lines()[0]).not.toHaveProperty('trace_id');
    expect(lines()[1]).toMatchObject({ trace_id: ids.traceId, span_id: ids.spanId });
  });

  it('the log never writes the password of an address, in any field or message', () => {
    const { log, written } = setup();
    const address = 'postgresql://app:hunter2@db:5432/games';
    log.error({ err: new TypeError(`cannot reach ${address}`), nested: { url: address } }, 'broken');
    log.info({ url: 'redis://:hunter2@cache' }, 'to redis://x:hunter2@cache');
    expect(written.join('')).not.toContain('hunter2');
    expect(written.join('')).toContain('postgresql://app:***@db:5432/games');
  });

  it('the log keeps of an exception what is known to be harmless, and nothing that a library attached', () => {
    const { log, written, lines } = setup();
    const refused = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
      code: 'WRONGPASS',
      command: { name: 'hello', args: ['3', 'AUTH', 'default', 'hunter2'] },
      config: { password: 'hunter2' },
    });
    log.warn({ err: refused }, 'broken');
    log.warn({ err: new AggregateError([refused], 'both addresses') }, 'broken');
    log.warn({ err: new Error('outer', { cause: refused }) }, 'broken');
    expect(written.join('')).not.toContain('hunter2');
    expect(lines()).toMatchObject([
      { err: { type: 'Error', code: 'WRONGPASS', message: 'WRONGPASS invalid username-password pair' } },
      { err: { aggregateErrors: [{ code: 'WRONGPASS' }] } },
      { err: { message: 'outer: WRONGPASS invalid username-password pair' } },
    ]);
  });

  it('the log never writes a field whose name is that of a secret', () => {
    const { log, written } = setup();
    log.info({ password: 'hunter2', lease: { token: 'hunter2' }, headers: { authorization: 'hunter2' } }, 'x');
    expect(written.join('')).not.toContain('hunter2');
  });

  it('the log does not change addresses without a password, nor mail addresses', () => {
    const { log, lines } = setup();
    log.info({ url: 'http://127.0.0.1:4318/v1/traces', to: 'a:b@c' }, 'x');
    expect(lines()).toMatchObject([{ url: 'http://127.0.0.1:4318/v1/traces', to: 'a:b@c' }]);
  });
});
