/** New readers see the tree first, so its shape is checked. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const ROOTS = ['src', 'demo', 'bench', 'scripts', 'test'];
const MOST_FILES = 16;
/** `index` occurs more than once: it is the command of its folder. */
const MOST_OF_ONE_NAME = 3;

const files = ROOTS.flatMap((root) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)),
).filter((path) => !path.startsWith(join('src', 'generated')));

const countBy = (keys: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

it(`no folder has more than ${MOST_FILES} files on one level`, () => {
  const crowded = [...countBy(files.map(dirname))].filter(([, count]) => count > MOST_FILES);
  expect(crowded).toEqual([]);
});

it(`no file name in src occurs more than ${MOST_OF_ONE_NAME} times`, () => {
  const sources = files.filter((path) => path.startsWith('src'));
  const frequent = [...countBy(sources.map((path) => basename(path)))].filter(([, count]) => count > MOST_OF_ONE_NAME);
  expect(frequent).toEqual([]);
});
