import { describe, expect, it } from 'vitest';
import { readReason } from '../../../../../src/jobs/failure-reason.js';
import { endingOf } from '../../../../../src/adapters/bullmq/lookup/job-result.js';
import { jobStateOf, queueCountsOf } from '../../../../../src/adapters/bullmq/store/job-state.js';
import { repairJson } from '../../../../../src/adapters/bullmq/store/stored-text.js';
import { storableError, storableJson } from '../../../../../src/adapters/bullmq/store/stored-text.js';
import { FAILURE_CODES } from '../../../../../src/domain/error-codes.js';
import { resultToJson } from '../../../../../src/domain/result.js';
import { success } from '../../../../support/queue/queue-scripts.js';

const ended = (fields: object) => endingOf('7', fields as Parameters<typeof endingOf>[1]);

describe('how a job ended', () => {
  const result = resultToJson(success('game-1', 'replay_no_op'));

  it('is not known before it has', () => {
    expect(ended({ failedReason: 'of an earlier try' })).toBeUndefined();
  });
  it('is missing when there is no such job', () => {
    expect(endingOf('7', undefined)).toEqual({ jobId: '7', state: 'missing' });
  });
  it('is its result when it completed, also after failed tries', () => {
    expect(ended({ finishedOn: 1, returnvalue: result, failedReason: 'of an earlier try' })).toEqual({
      jobId: '7',
      state: 'completed',
      result,
    });
  });
  it('is its reason when it failed', () => {
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
  ])('is an internal error when it completed with %j', (returnvalue) => {
    expect(ended({ finishedOn: 1, returnvalue })).toMatchObject({ state: 'failed', reason: /^internal_error: / });
  });
});

describe('a failed job’s reason', () => {
  it.each(FAILURE_CODES)('is a dead letter’s when it begins with %s', (code) => {
    expect(readReason(`${code}: why`)).toEqual({ code, message: 'why' });
  });
  it.each([
    undefined,
    '',
    'deadlock detected',
    'conflict',
    'conflict:',
    ': why',
    'Error: why',
    'toString: x',
    'replay_no_op: x',
  ])('is none of ours when it is %j', (reason) => {
    expect(readReason(reason ?? '')).toBeUndefined();
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
  ])('%s reads %s', (theirs, ours) => {
    expect(jobStateOf(theirs)).toBe(ours);
  });
  it('are counted in ours, none missing', () => {
    expect(queueCountsOf({ waiting: 2, prioritized: 3, failed: 1, paused: 9 })).toEqual({
      waiting: 5,
      delayed: 0,
      active: 0,
      completed: 0,
      failed: 1,
    });
  });
});

describe('what cannot be read in a stored job', () => {
  const fine = { data: '{"gameId":"g"}', opts: '{"attempts":0}', progress: '0', parent: null };

  it('is nothing in a job that BullMQ wrote, nor in one with empty fields', () => {
    expect(repairJson(fine)).toBeUndefined();
    expect(repairJson({ data: null, opts: null, progress: null, parent: null })).toBeUndefined();
    expect(repairJson({ data: '', opts: '', progress: '', parent: '' })).toBeUndefined();
  });
  it('is kept in part where it was data, so that the dead letter shows it', () => {
    expect(repairJson({ ...fine, data: `{"gameId":${'x'.repeat(900)}` })).toEqual({
      set: { data: JSON.stringify({ unreadable: `{"gameId":${'x'.repeat(490)}` }) },
      remove: [],
    });
  });
  it.each(['nonsense', 'null', '[]', '3', '"text"'])('makes way for defaults where options are %s', (opts) => {
    expect(repairJson({ ...fine, opts })).toEqual({ set: { opts: '{}' }, remove: [] });
  });
  it('makes way for defaults elsewhere', () => {
    expect(repairJson({ ...fine, progress: '{', parent: '<' })).toEqual({
      set: { progress: '0' },
      remove: ['parent', 'parentKey'],
    });
  });
});

describe('text to be stored', () => {
  it('loses NUL and lone surrogates at any depth, and nothing else', () => {
    const long = 'x'.repeat(10_000);
    expect(storableJson({ a: ['b\0', { c: 'd\uD800' }], long, n: 1, t: null, u: undefined })).toEqual({
      a: ['b', { c: 'd\uFFFD' }],
      long,
      n: 1,
      t: null,
    });
    expect(storableJson(undefined)).toBeNull();
  });
  it('is made of anything thrown', () => {
    expect(storableError(new Error('a\0b')).message).toBe('ab');
    expect(storableError(new Error('a\0b')).stack).not.toContain('\0');
    expect(storableError('plain \uDC00').message).toBe('plain \uFFFD');
    expect(storableError(undefined).message).toBe('undefined');
  });
});
