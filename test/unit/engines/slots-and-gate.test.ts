import { describe, expect, it } from 'vitest';
import { createMismatchGate } from '../../../src/engines/mismatch-gate.js';
import { createSlots } from '../../../src/engines/slots.js';
import { createManualClock } from '../../support/manual-clock.js';

const calm = new AbortController().signal;
const settled = () => createManualClock().advance(0);

const slotsOf = (limit: number) => createSlots(createManualClock(), { limit, waitMs: undefined });

/** The function that gives a taken slot back. */
function taken(release: (() => void) | undefined): () => void {
  if (release === undefined) throw new TypeError('no slot was given');
  return release;
}

/** What became of a wait. */
function watched<Answer>(waiting: Promise<Answer>) {
  const seen: { status: 'waiting' | 'done' | 'rejected'; answer?: Answer } = { status: 'waiting' };
  waiting.then(
    (answer) => Object.assign(seen, { status: 'done', answer }),
    () => Object.assign(seen, { status: 'rejected' }),
  );
  return seen;
}

describe('the slots of an engine', () => {
  it('slots are taken at once up to the limit, and the next caller waits for one to be given back', async () => {
    const slots = slotsOf(2);
    const release = taken(await slots.take(calm));
    await slots.take(calm);
    const third = watched(slots.take(calm));
    await settled();
    expect([third.status, slots.taken()]).toEqual(['waiting', 2]);
    release();
    await settled();
    expect([third.status, slots.taken()]).toEqual(['done', 2]);
  });

  it('a slot that is given back twice is free once', async () => {
    const slots = slotsOf(2);
    const release = taken(await slots.take(calm));
    await slots.take(calm);
    release();
    release();
    expect(slots.taken()).toBe(1);
  });

  it('slots go to waiting callers in the order in which they came', async () => {
    const slots = slotsOf(1);
    const release = taken(await slots.take(calm));
    const [second, third] = [watched(slots.take(calm)), watched(slots.take(calm))];
    release();
    await settled();
    expect([second.status, third.status]).toEqual(['done', 'waiting']);
  });

  it('a caller that is aborted while it waits gets no slot, and its place goes to the next', async () => {
    const slots = slotsOf(1);
    const release = taken(await slots.take(calm));
    const stop = new AbortController();
    const reason = new Error('lease lost');
    const second = slots.take(stop.signal);
    const third = watched(slots.take(calm));
    stop.abort(reason);
    await expect(second).rejects.toBe(reason);
    release();
    await settled();
    expect([third.status, slots.taken()]).toEqual(['done', 1]);
  });

  it('a caller that is aborted already gets no slot', async () => {
    const slots = slotsOf(1);
    await expect(slots.take(AbortSignal.abort(new Error('lease lost')))).rejects.toThrow('lease lost');
    expect(slots.taken()).toBe(0);
  });
});

describe('the slots of an engine beside others', () => {
  function full() {
    const clock = createManualClock();
    return { clock, slots: createSlots(clock, { limit: 1, waitMs: 500 }) };
  }

  it('a caller that gets no slot in its time gets none, and does not take the place of a later one', async () => {
    const { clock, slots } = full();
    const release = taken(await slots.take(calm));
    const second = watched(slots.take(calm));
    await clock.advance(400);
    const third = watched(slots.take(calm));
    await clock.advance(99);
    expect(second.status).toBe('waiting');
    await clock.advance(1);
    expect(second).toEqual({ status: 'done', answer: undefined });
    release();
    await settled();
    expect([third.status, slots.taken()]).toEqual(['done', 1]);
    expect(clock.pendingMs()).toEqual([]);
  });

  it('a caller does not wait once no slot has been given back for that time', async () => {
    const { clock, slots } = full();
    const release = taken(await slots.take(calm));
    await clock.advance(500);
    expect(await slots.take(calm)).toBeUndefined();
    release();
    taken(await slots.take(calm));
    expect(slots.taken()).toBe(1);
  });

  it('a caller that is aborted while it waits is rejected with the reason, and leaves no timer', async () => {
    const { clock, slots } = full();
    await slots.take(calm);
    const stop = new AbortController();
    const second = slots.take(stop.signal);
    stop.abort(new Error('lease lost'));
    await expect(second).rejects.toThrow('lease lost');
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe('the gate before jobs while another engine answers', () => {
  it('the gate admits jobs at once until it is told to hold them, and all of them when that is lifted', async () => {
    const gate = createMismatchGate();
    expect(await gate.admit(calm)).toBeDefined();
    gate.hold();
    const [one, two] = [watched(gate.admit(calm)), watched(gate.admit(calm))];
    await settled();
    expect([one.status, two.status]).toEqual(['waiting', 'waiting']);
    gate.lift();
    await settled();
    expect([one.status, two.status]).toEqual(['done', 'done']);
    expect(await gate.admit(calm)).toBeDefined();
  });

  it('the gate sends jobs that wait back to the queue when it is shut', async () => {
    const gate = createMismatchGate();
    gate.hold();
    const job = gate.admit(calm);
    gate.shut();
    expect(await job).toBeUndefined();
  });

  it('the gate gives up the wait of a job that is aborted', async () => {
    const gate = createMismatchGate();
    gate.hold();
    const stop = new AbortController();
    const job = gate.admit(stop.signal);
    stop.abort(new Error('shutdown'));
    await expect(job).rejects.toThrow('shutdown');
  });
});
