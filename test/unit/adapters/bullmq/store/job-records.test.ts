import { describe, expect, it } from 'vitest';
import { endingOf } from '../../../../../src/adapters/bullmq/lookup/job-result.js';
import { jobStateOf, queueCountsOf } from '../../../../../src/adapters/bullmq/store/job-state.js';
import { repairJson, storableError, storableJson } from '../../../../../src/adapters/bullmq/store/stored-text.js';
import { resultToJson } from '../../../../../src/domain/result.js';
import { success } from '../../../../support/queue/queue-scripts.js';

const ended = (fields: object) => endingOf('7', fields as Parameters<typeof endingOf>[1]);

describe('the result of a job', () => {
  const result = resultToJson(success('game-1', 'replay_no_op'));

  it('a job that has not ended has no result', () => {
    expect(ended({ failedReason: 'of an earlier attempt' })).toBeUndefined();
  });
  it('a job that does not exist is missing', () => {
    expect(endingOf('7', undefined)).toEqual({ jobId: '7', state: 'missing' });
  });
  it('a completed job has its return value, also after failed attempts', () => {
    expect(ended({ finishedOn: 1, returnvalue: result, failedReason: 'of an earlier attempt' })).toEqual({
      jobId: '7',
      state: 'completed',
      result,
    });
  });
  it('a failed job has its reason', () => {
    const reason = 'conflict: busy';
    expect(ended({ finishedOn: 1, failedReason: reason, returnvalue: null })).toEqual({
      jobId: '7',
      state: 'failed',
      reason,
    });
  });
  it.each([
    null,
    'done',
    {},
    { outcome: 'success' },
    { outcome: 'maybe', errorCode: '' },
    { outcome: 'success', errorCode: 'odd' },
  ])('a job that completed with %j is an internal error', (returnvalue) => {
    expect(ended({ finishedOn: 1, returnvalue })).toMatchObject({ state: 'failed', reason: /^internal_error: / });
  });
});

describe('BullMQ’s states', () => {
  it.each([
    ['waiting', 'waiting'],
    ['prioritized', 'waiting'],
    ['waiting-children', 'waiting'],
    ['delayed', 'delayed'],
    ['active', 'active'],
    ['completed', 'completed'],
    ['failed', 'failed'],
    ['unknown', 'unknown'],
    ['something new', 'unknown'],
  ])('the state %s is shown as %s', (stored, shown) => {
    expect(jobStateOf(stored)).toBe(shown);
  });
  it('counts are given for every shown state', () => {
    expect(queueCountsOf({ waiting: 2, prioritized: 3, failed: 1, paused: 9 })).toEqual({
      waiting: 5,
      delayed: 0,
      active: 0,
      completed: 0,
      failed: 1,
    });
  });
});

describe('repairJson', () => {
  const fine = { data: '{"gameId":"g"}', opts: '{"attempts":0}', progress: '0', parent: null };

  it('a job that BullMQ wrote and one with empty fields need no repair', () => {
    expect(repairJson(fine)).toBeUndefined();
    expect(repairJson({ data: null, opts: null, progress: null, parent: null })).toBeUndefined();
    expect(repairJson({ data: '', opts: '', progress: '', parent: '' })).toBeUndefined();
  });
  it('unreadable data is kept in part, so that the dead letter shows it', () => {
    expect(repairJson({ ...fine, data: `{"gameId":${'x'.repeat(900)}` })).toEqual({
      set: { data: JSON.stringify({ unreadable: `{"gameId":${'x'.repeat(490)}` }) },
      remove: [],
    });
  });
  it.each(['nonsense', 'null', '[]', '3', '"text"'])('the options %s are replaced by defaults', (opts) => {
    expect(repairJson({ ...fine, opts })).toEqual({ set: { opts: '{}' }, remove: [] });
  });
  it('unreadable progress and parent are replaced by defaults', () => {
    expect(repairJson({ ...fine, progress: '{', parent: '<' })).toEqual({
      set: { progress: '0' },
      remove: ['parent', 'parentKey'],
    });
  });
});

describe('stored text', () => {
  it('storableJson removes NUL and lone surrogates at any depth, and nothing else', () => {
    const long = 'x'.repeat(10_000);
    expect(storableJson({ a: ['b\0', { c: 'd\uD800' }], long, n: 1, t: null, u: undefined })).toEqual({
      a: ['b', { c: 'd\uFFFD' }],
      long,
      n: 1,
      t: null,
    });
    expect(storableJson(undefined)).toBeNull();
  });
  it('storableError accepts every thrown value', () => {
    expect(storableError(new Error('a\0b')).message).toBe('ab');
    expect(storableError(new Error('a\0b')).stack).not.toContain('\0');
    expect(storableError('plain \uDC00').message).toBe('plain \uFFFD');
    expect(storableError(undefined).message).toBe('undefined');
  });
});
