/**
 * A test over a fake proves no more than the fake's contract suite does. So each fake must be imported by a test of
 * `test/contract/`: the fake of a port by the test of the same name, a part of other fakes by any test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';

/** Parts of other fakes; a contract test imports them with the fakes that they are part of. */
const PARTS: ReadonlySet<string> = new Set(['platform', 'retention-records', 'state', 'worker']);
/** Fakes with another name than their port's contract test, because they do more than the port. */
const SUITES: Readonly<Record<string, string>> = { engine: 'container-engine', 'cleanup-world': 'runtime-records' };

const sources = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('test', name));
const isFake = (path: string): boolean =>
  !path.endsWith('.test.ts') &&
  (dirname(path) === 'test/support/fakes' ||
    path === 'test/support/cleanup-world.ts' ||
    /^export (?:const|(?:async )?function) createFake/m.test(readFileSync(path, 'utf8')));
const contractTests = sources.filter((path) => path.startsWith('test/contract/') && path.endsWith('-fake.test.ts'));

/** The files that a file imports, directly or through others. */
function importedBy(path: string, found = new Set<string>()): ReadonlySet<string> {
  for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)) {
    const imported = `${join(dirname(path), target)}.ts`;
    if (found.has(imported) || !imported.startsWith('test/') || !existsSync(imported)) continue;
    found.add(imported);
    importedBy(imported, found);
  }
  return found;
}

const fakes = sources.filter(isFake);

it('the list of fakes has every folder that contains one', () => {
  const folders = new Set(fakes.map((path) => dirname(path)));
  expect([...folders].sort()).toEqual(['test/support', 'test/support/engine', 'test/support/fakes', 'test/unit/lease']);
});

it.each(fakes)('%s is imported by a contract test', (fake) => {
  const name = basename(fake, '.ts').replace(/^fake-/, '');
  const suite = `/${SUITES[name] ?? name}-fake.test.ts`;
  const candidates = PARTS.has(name) ? contractTests : contractTests.filter((path) => path.endsWith(suite));
  expect(candidates.filter((path) => importedBy(path).has(fake))).not.toEqual([]);
});
