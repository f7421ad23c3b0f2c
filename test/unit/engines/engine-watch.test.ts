import { describe, expect, it, onTestFinished } from 'vitest';
import { EngineRefusalError, UnavailableError } from '../../../src/domain/errors.js';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { createWatchWorld, ENGINE, OTHER_ENGINE, type WatchWorld } from './engines-world.js';

const silent = (): Promise<never> => Promise.reject(new UnavailableError('docker', 'no answer'));
const identify = (world: WatchWorld): number => world.journal.filter((line) => line === 'identify').length;

/** A watch that runs until the test has ended. */
async function runningWatch(): Promise<WatchWorld> {
  const world = createWatchWorld();
  const stopping = new AbortController();
  const running = world.watch.run(stopping.signal);
  onTestFinished(async () => {
    stopping.abort();
    await running;
  });
  await world.clock.advance(0);
  return world;
}

describe('the watch of an engine', () => {
  it('a watch knows nothing before its first check, and confirms the identity with it', async () => {
    expect(createWatchWorld().watch.state()).toMatchObject({ kind: 'unknown' });
    const { watch, journal } = await runningWatch();
    expect(watch.state()).toEqual({ kind: 'confirmed', identity: ENGINE });
    expect(journal).toEqual(['identify', 'seen engine-1']);
  });

  it('a watch checks every five seconds while the identity is confirmed', async () => {
    const world = await runningWatch();
    await world.clock.advance(4_999);
    expect(identify(world)).toBe(1);
    await world.clock.advance(1);
    expect(identify(world)).toBe(2);
  });

  it('a watch checks at once after a broken call, and forgets earlier looks before it confirms the identity', async () => {
    const world = await runningWatch();
    world.watch.suspect();
    expect(world.watch.state()).toMatchObject({ kind: 'unknown', why: 'a call got no answer' });
    await world.clock.advance(0);
    expect(world.journal.slice(2)).toEqual(['identify', 'forget looks', 'seen engine-1']);
    expect(world.watch.state()).toMatchObject({ kind: 'confirmed' });
  });

  it('a watch forgets the looks once for each broken call', async () => {
    const world = await runningWatch();
    world.watch.suspect();
    await world.clock.advance(5_000);
    expect(world.journal.filter((line) => line === 'forget looks')).toHaveLength(1);
  });

  it('a watch checks at once when a call takes long, and keeps the looks', async () => {
    const world = await runningWatch();
    world.watch.hasten();
    await world.clock.advance(0);
    expect(world.journal.slice(2)).toEqual(['identify', 'seen engine-1']);
  });

  it('a watch reports another engine once, checks twice a second, and reports when the right one is back', async () => {
    const world = await runningWatch();
    world.identify = async () => OTHER_ENGINE;
    await world.clock.advance(5_000);
    expect(world.watch.state()).toEqual({ kind: 'other', stored: ENGINE, answered: OTHER_ENGINE });
    await world.clock.advance(1_000);
    expect(identify(world)).toBe(4);
    world.identify = async () => ENGINE;
    await world.clock.advance(1_000);
    const reports = world.journal.filter((line) => line.startsWith('report'));
    expect(reports).toEqual(['report mismatch engine-2', 'report matched engine-1']);
  });

  it('a watch reports a match when the other identity is accepted', async () => {
    const world = await runningWatch();
    world.identify = async () => OTHER_ENGINE;
    await world.clock.advance(5_000);
    world.stored = OTHER_ENGINE;
    await world.clock.advance(500);
    expect(world.journal.at(-1)).toBe('report matched engine-2');
    expect(world.watch.state()).toEqual({ kind: 'confirmed', identity: OTHER_ENGINE });
  });

  it('a watch that has found another engine remains in that state when that engine falls silent', async () => {
    const world = await runningWatch();
    world.identify = async () => OTHER_ENGINE;
    await world.clock.advance(5_000);
    world.identify = silent;
    await world.clock.advance(500);
    expect(world.watch.state()).toMatchObject({ kind: 'other' });
  });

  it('a watch reports an outage and aborts the calls at the second silent check in a row, and reports it at each check after that', async () => {
    const world = await runningWatch();
    world.identify = silent;
    await world.clock.advance(5_000);
    expect(world.watch.state()).toMatchObject({ kind: 'unknown', why: 'no answer' });
    expect(world.watch.silence().aborted).toBe(false);
    await world.clock.advance(500);
    expect(world.watch.silence()).toMatchObject({ aborted: true, reason: expect.any(UnavailableError) });
    const reason: unknown = world.watch.silence().reason;
    await world.clock.advance(1_000);
    expect(world.watch.silence().reason).toBe(reason);
    expect(world.journal.filter((line) => line.startsWith('report'))).toEqual([
      'report silent: no answer',
      'report silent: no answer',
      'report silent: no answer',
    ]);
  });

  it('a watch has a new silence signal once the engine has answered, and forgets the looks of before the silence', async () => {
    const world = await runningWatch();
    world.identify = silent;
    await world.clock.advance(5_500);
    world.identify = async () => ENGINE;
    await world.clock.advance(500);
    expect(world.watch.silence().aborted).toBe(false);
    expect(world.journal.slice(-4)).toEqual(['identify', 'report answers', 'forget looks', 'seen engine-1']);
    await world.clock.advance(5_000);
    expect(world.journal.filter((line) => line === 'report answers')).toHaveLength(1);
  });

  it('ends the silence at a refusal, which is an answer', async () => {
    const world = await runningWatch();
    world.identify = silent;
    await world.clock.advance(5_500);
    world.identify = () => Promise.reject(new EngineRefusalError('HTTP 500'));
    await world.clock.advance(500);
    expect(world.watch.silence().aborted).toBe(false);
    expect(world.journal.at(-1)).toBe('report answers');
  });

  it('a watch does not count a refusal as silence, because an engine that refuses has answered', async () => {
    const world = await runningWatch();
    world.identify = () => Promise.reject(new EngineRefusalError('HTTP 500'));
    await world.clock.advance(20_000);
    expect(world.watch.silence().aborted).toBe(false);
    expect(world.journal.filter((line) => line.startsWith('report'))).toEqual([]);
  });
});

describe('a check', () => {
  it('a check is shared by all callers that come while another one runs, and asks the engine after they came', async () => {
    const world = createWatchWorld();
    const answers: ((identity: EngineIdentity) => void)[] = [];
    world.identify = () => new Promise((resolve) => answers.push(resolve));
    const [first, second, third] = [world.watch.check(), world.watch.check(), world.watch.check()];
    answers[0]?.(ENGINE);
    expect(await first).toEqual({ stored: ENGINE, answered: ENGINE });
    await world.clock.advance(0);
    expect(answers).toHaveLength(2);
    answers[1]?.(OTHER_ENGINE);
    expect([await second, await third]).toEqual([
      { stored: ENGINE, answered: OTHER_ENGINE },
      { stored: ENGINE, answered: OTHER_ENGINE },
    ]);
  });

  it('a check rejects when the engine does not answer', async () => {
    const world = createWatchWorld();
    world.identify = silent;
    await expect(world.watch.check()).rejects.toThrow('no answer');
  });
});
