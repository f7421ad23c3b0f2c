/** Files are moved and renamed; the pages that mention them must follow. CHANGELOG.md is history and keeps old names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'src/lease/README.md',
  'test/contract/README.md',
  'test/mutation/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const FOLDERS = 'src|test|demo|bench|scripts|docs|deploy|schema|examples|prisma';

it.each(PAGES)('each path that %s mentions exists', (page) => {
  const text = readFileSync(page, 'utf8');
  const named = [...text.matchAll(new RegExp(`(?<![\\w./-])(?:${FOLDERS})/[\\w./-]*[\\w/]`, 'g'))].map(
    ([path]) => path,
  );
  const linked = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path = '']) =>
    join(dirname(page), path),
  );
  expect([...named, ...linked].filter((path) => !existsSync(path))).toEqual([]);
});
