import { describe, expect, it } from 'vitest';
import { withDatabase } from '../../../../demo/platform/redis-database.js';
import { createTidyUp } from '../../../../demo/platform/tidy-up.js';

describe('tidying up', () => {
  it('tidying up removes everything in reverse order, once', async () => {
    const removed: string[] = [];
    const tidyUp = createTidyUp();
    for (const what of ['folder', 'database', 'worker']) tidyUp.add(what, async () => removed.push(what));
    await tidyUp.closeAll();
    await tidyUp.closeAll();
    expect(removed).toEqual(['worker', 'database', 'folder']);
    expect(tidyUp.problems()).toEqual([]);
  });

  it('tidying up continues after a failure, and records it', async () => {
    const removed: string[] = [];
    const tidyUp = createTidyUp();
    tidyUp.add('folder', async () => removed.push('folder'));
    tidyUp.add('containers', async () => {
      throw new Error('no engine');
    });
    await tidyUp.closeAll();
    expect(removed).toEqual(['folder']);
    expect(tidyUp.problems()).toEqual(['containers: no engine']);
  });
});

describe('the address of another logical database', () => {
  it.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379/3'],
    ['redis://127.0.0.1:6379/0', 'redis://127.0.0.1:6379/3'],
    ['rediss://user:secret@cache.example:6380/1?db=2&family=6', 'rediss://user:secret@cache.example:6380/3?family=6'],
  ])('the other address of %s is %s', (given, other) => {
    expect(withDatabase(given, 3)).toBe(other);
  });
});
