import { describe, expect, it } from 'vitest';
import { decideGone, describeIdentity, type GoneFacts } from '../../../src/engines/decide-gone.js';
import { ENGINE } from './engines-world.js';

/** An engine that is the right one and shows nothing else. */
const facts = (over: Partial<GoneFacts> = {}): GoneFacts => ({
  engine: 'default',
  stored: ENGINE,
  answered: ENGINE,
  removalSent: 'never',
  accepted: false,
  goneLooks: 1,
  othersSeen: 'never',
  ...over,
});
const removed = { believed: true, removal: 'removed' };
const alreadyGone = { believed: true, removal: 'already_gone' };
const doubted = (words: RegExp) => ({ believed: false, why: expect.stringMatching(words) });
const replaced = doubted(/^another engine answers at the address of the engine "default": .*engines accept default"$/);
/** All that speaks for the engine, and that another identity outweighs. */
const convincing = { removalSent: 'now', accepted: true, goneLooks: 0, othersSeen: 'now' } as const;

describe('whether "no such container" is believed', () => {
  const believed: readonly [situation: string, GoneFacts, expected: object][] = [
    ['an engine that was sent a removal by this attempt', facts({ removalSent: 'now' }), removed],
    ['an engine that was sent a removal by an earlier attempt', facts({ removalSent: 'earlier' }), removed],
    [
      'an engine that was sent a removal and misses many other containers',
      facts({ removalSent: 'earlier', goneLooks: 20 }),
      removed,
    ],
    ['an engine that misses a container which an operator has accepted', facts({ accepted: true }), alreadyGone],
    [
      'an engine that misses an accepted container and many others',
      facts({ accepted: true, goneLooks: 20 }),
      alreadyGone,
    ],
    ['an engine that shows another container now', facts({ othersSeen: 'now' }), alreadyGone],
    ['an engine that showed another container a moment ago', facts({ othersSeen: 'recently' }), alreadyGone],
    ['an engine that misses 10 of the last 20 containers', facts({ goneLooks: 10, othersSeen: 'now' }), alreadyGone],
  ];
  it.each(believed)('%s is believed', (_situation, given, expected) => {
    expect(decideGone(given)).toEqual(expected);
  });

  const doubtful: readonly [situation: string, GoneFacts, expected: object][] = [
    ['an engine with another id', facts({ answered: { ...ENGINE, engineId: 'x' } }), replaced],
    [
      'an engine with the same id and another data folder',
      facts({ answered: { ...ENGINE, rootDir: '/mnt' } }),
      replaced,
    ],
    [
      'an engine with the same id and another storage driver',
      facts({ answered: { ...ENGINE, storageDriver: 'vfs' } }),
      replaced,
    ],
    [
      'an engine with another id for which all other facts speak',
      facts({ ...convincing, answered: { ...ENGINE, engineId: 'x' } }),
      replaced,
    ],
    [
      'an engine that shows no other container',
      facts(),
      doubted(/shows no other container of these records; .*accept default"$/),
    ],
    [
      'an engine that misses 11 of the last 20 containers',
      facts({ goneLooks: 11, othersSeen: 'now' }),
      doubted(/^the engine "default" says that 11 of the last 20 containers are gone; .*accept default"$/),
    ],
  ];
  it.each(doubtful)('%s is not believed', (_situation, given, expected) => {
    expect(decideGone(given)).toEqual(expected);
  });

  it('the refusal of another engine names both identities', () => {
    const verdict = decideGone(facts({ answered: { engineId: '', rootDir: '/mnt', storageDriver: 'vfs' } }));
    expect(verdict).toMatchObject({
      why: expect.stringContaining(
        'id (none), root /mnt, driver vfs instead of id engine-1, root /var/lib/docker, driver overlay2;',
      ),
    });
  });
});

it('an identity without a lasting id is described as one with the id (none)', () => {
  expect(describeIdentity({ ...ENGINE, engineId: '' })).toBe('id (none), root /var/lib/docker, driver overlay2');
});
