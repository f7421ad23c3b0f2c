import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { payloadJsonSchema, readPayload } from '../../../src/jobs/payload.js';
import { aDelivery } from '../../support/deliveries.js';

describe('a job’s payload', () => {
  it('a payload becomes a command, and absent options are filled in', () => {
    const read = readPayload(aDelivery({ payload: { gameId: 'g', opSource: 'gm_rest' }, jobId: '7', run: 2 }));
    expect(read).toEqual({
      valid: true,
      command: { gameId: 'g', opSource: 'gm_rest', sourceRef: '', expectedContainerId: null, jobId: '7', attempt: 2 },
    });
  });

  const rows: readonly [situation: string, payload: unknown, words: RegExp][] = [
    ['that is undefined', undefined, /found undefined/],
    ['that is null', null, /found null/],
    ['that is text', 'game-1', /found "game-1"/],
    ['that is a list', ['game-1'], /found \["game-1"\]/],
    ['without a game id', { opSource: 'gm_rest' }, /gameId: /],
    ['with a number for a game id', { gameId: 123, opSource: 'gm_rest' }, /gameId: .*expected string/i],
    ['without a source', { gameId: 'g' }, /opSource: /],
    ['with null for a reference', { gameId: 'g', opSource: 'gm_rest', sourceRef: null }, /sourceRef: /],
    [
      'with a misspelt precondition',
      { gameId: 'g', opSource: 'gm_rest', expectedContainerID: 'x' },
      /expectedContainerID/,
    ],
    ['of ten thousand characters', { gameId: 1, junk: 'x'.repeat(10_000) }, /…\)$/],
  ];

  it.each(rows)('a payload %s is refused, and the refusal shows what was found', (_situation, payload, words) => {
    const read = readPayload(aDelivery({ payload }));
    expect(read.valid).toBe(false);
    expect(read.valid ? '' : read.problem).toMatch(words);
  });

  it('a refused payload still gives the operation log its readable fields', () => {
    const read = readPayload(aDelivery({ payload: { gameId: 'g', opSource: 'gm_rest', extra: 1 } }));
    expect(read.command).toMatchObject({ gameId: 'g', opSource: 'gm_rest', sourceRef: '' });
    const invalid = readPayload(aDelivery({ payload: { gameId: 'g', opSource: 1, sourceRef: 'request-9' } }));
    expect(invalid.command).toMatchObject({ gameId: 'g', opSource: '', sourceRef: 'request-9' });
  });

  const problemOf = (payload: unknown): string => {
    const read = readPayload(aDelivery({ payload }));
    return read.valid ? 'none' : read.problem;
  };

  it('a payload with two problems is refused with both, each with its field', () => {
    expect(problemOf({ gameId: 1, opSource: 2 })).toMatch(/^gameId: [^;]+; opSource: [^;]+ \(found \{/);
    expect(problemOf('game-1')).toMatch(/^data: /);
  });

  it('a refusal shows up to 200 characters of the payload', () => {
    const text = (length: number): string => 'x'.repeat(length - 2);
    expect(problemOf(text(200))).toContain(`(found "${text(200)}")`);
    expect(problemOf(text(201))).toContain(`(found "${text(201)}…)`);
  });

  it('a payload that is nested too deep to be written is refused', () => {
    let nested: unknown = 'bottom';
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
    expect(problemOf({ gameId: nested })).toContain('(found data that is nested too deep)');
  });

  it('a payload that throws when it is read is refused', () => {
    const payload = {
      get gameId(): string {
        throw new Error('not for you');
      },
    };
    expect(readPayload(aDelivery({ payload }))).toMatchObject({
      valid: false,
      problem: 'the data cannot be read: not for you',
      command: { gameId: '' },
    });
  });

  it('a payload under another job name is refused', () => {
    const read = readPayload(aDelivery({ jobName: 'remove_everything' }));
    expect(read).toMatchObject({
      valid: false,
      problem: 'job name "remove_everything" is unknown; allowed: cleanup_container',
    });
  });

  it('the JSON Schema in the package equals the one in force', () => {
    const shipped: unknown = JSON.parse(readFileSync('schema/cleanup-container.schema.json', 'utf8'));
    expect(shipped).toEqual(payloadJsonSchema());
  });
});
