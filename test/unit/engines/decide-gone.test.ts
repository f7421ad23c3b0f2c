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

describe('an engine that says "no such container"', () => {
  const rows: readonly [situation: string, GoneFacts, expected: object][] = [
    ['is another one by its id', facts({ answered: { ...ENGINE, engineId: 'x' } }), replaced],
    ['is the same one on another disk', facts({ answered: { ...ENGINE, rootDir: '/mnt' } }), replaced],
    ['is the same one with another storage driver', facts({ answered: { ...ENGINE, storageDriver: 'vfs' } }), replaced],
    [
      'is another one, which outweighs all other facts',
      facts({ ...convincing, answered: { ...ENGINE, engineId: 'x' } }),
      replaced,
    ],
    ['has been sent a removal by this attempt', facts({ removalSent: 'now' }), removed],
    ['has been sent a removal by an earlier attempt', facts({ removalSent: 'earlier' }), removed],
    ['has been sent a removal, amid a burst', facts({ removalSent: 'earlier', goneLooks: 20 }), removed],
    ['is believed by an operator', facts({ accepted: true }), alreadyGone],
    ['is believed by an operator, amid a burst', facts({ accepted: true, goneLooks: 20 }), alreadyGone],
    ['shows another container now', facts({ othersSeen: 'now' }), alreadyGone],
    ['showed another container a moment ago', facts({ othersSeen: 'recently' }), alreadyGone],
    ['shows no other container', facts(), doubted(/shows no other container of these records; .*accept default"$/)],
    ['says it of 10 of the last 20', facts({ goneLooks: 10, othersSeen: 'now' }), alreadyGone],
    [
      'says it of 11 of the last 20',
      facts({ goneLooks: 11, othersSeen: 'now' }),
      doubted(/^the engine "default" says that 11 of the last 20 containers are gone; .*accept default"$/),
    ],
  ];

  it.each(rows)('%s', (_situation, given, expected) => {
    expect(decideGone(given)).toEqual(expected);
  });

  it('and is another one is refused with both identities', () => {
    const verdict = decideGone(facts({ answered: { engineId: '', rootDir: '/mnt', storageDriver: 'vfs' } }));
    expect(verdict).toMatchObject({
      why: expect.stringContaining(
        'id (none), root /mnt, driver vfs instead of id engine-1, root /var/lib/docker, driver overlay2;',
      ),
    });
  });
});

it('an identity without an id that lasts says so', () => {
  expect(describeIdentity({ ...ENGINE, engineId: '' })).toBe('id (none), root /var/lib/docker, driver overlay2');
});
