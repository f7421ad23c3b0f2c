import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const patchFiles = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .filter((path) => /\/patches\/[^/]+\.ts$/.test(path));

/** The rows of the table of patches: `| file | library and version | member | why | removed when |`. */
const rows = read('CONTRIBUTING.md')
  .split('\n')
  .filter((line) => /^\| `src\/.*\/patches\//.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, file = '', library = '', member = '', why = '', removedWhen = '']) => ({
    file: file.replaceAll('`', ''),
    library,
    member,
    why,
    removedWhen,
  }));

const byFile = rows.map((row) => [row.file, row] as const);

const packageJson = JSON.parse(read('package.json')) as { readonly dependencies: Readonly<Record<string, string>> };

describe('the table of patches in CONTRIBUTING.md', () => {
  it('the table lists exactly the files in the folders named patches', () => {
    expect(rows.map(({ file }) => file).toSorted()).toEqual(patchFiles.toSorted());
    expect(patchFiles.length).toBeGreaterThan(0);
  });

  it.each(byFile)(
    '%s names the version in package.json, in the table and in its first comment',
    (file, { library }) => {
      const [, name = '', version = ''] = /^`?(\S+?)`? (\d\S*)/.exec(library) ?? [];
      expect(packageJson.dependencies[name]).toBe(version);
      expect(
        read(file)
          .split('*/')[0]
          ?.replaceAll(/\s*\n \* /g, ' '),
      ).toContain(`${name} ${version}`);
    },
  );

  it.each(byFile)('%s states which member it replaces, why, and when to remove it', (file, { member, ...row }) => {
    expect(row.why).not.toBe('');
    expect(row.removedWhen).not.toBe('');
    const names = [...member.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(read(file)).toContain(name.split('.').at(-1));
  });

  it.each(patchFiles)('%s has a test and throws LibraryChangedError', (file) => {
    expect(read(file)).toContain('throw new LibraryChangedError(');
    expect(read(file.replace('src/', 'test/unit/').replace(/\.ts$/, '.test.ts'))).toContain('LibraryChangedError');
  });
});
