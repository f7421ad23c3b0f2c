/**
 * Texts are written in plain English, for readers whose first language it may not be. A sentence whose subject is
 * "whoever" or "nobody", or a metaphor, must be translated before it can be acted on; the words below are those that
 * have made sentences hard to read here. Words that also have a technical use are not in the list.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Files, and folders with every page and program in them. */
const ROOTS = [
  'README.md',
  'CONTRIBUTING.md',
  'docs',
  'src',
  'demo',
  'scripts',
  'bench',
  '.ci/run',
  '.env.example',
  'Dockerfile',
  'deploy/engine-proxy.cfg',
  'docker-compose.engine-proxy.yml',
  'docker-compose.engines.yml',
  'docker-compose.yml',
  'prisma/schema.prisma',
  'test',
];
/** Generated, or (this file) the list of the words themselves. */
const EXCEPT = new Set(['src/generated', 'test/unit/docs/plain-english.test.ts']);
const EXTENSIONS = new Set(['.md', '.ts', '.mts', '.mjs']);

/** Phrases that are not to be used, and what to write instead. */
const BANNED: readonly (readonly [phrases: readonly string[], instead: string])[] = [
  [['whoever', 'whomever'], 'the subject: the caller, the operator, the process that …'],
  // In quotes it is the Unix user.
  [['(?<![\'"`])nobody(?![\'"`])', 'no one'], 'no process, no caller, no service'],
  [['somebody', 'someone'], 'another service, a client, a person'],
  [['anybody', 'anyone', 'everybody', 'everyone'], 'any caller, each client'],
  [['whatever'], 'any …'],
  [['(?<!there )is none', '(?<!there )are none'], 'is not a …, is not valid, does not exist'],
  [['has no place in', 'have no place in'], 'does not belong to, is not allowed in'],
  [['of ours'], 'our, or the name of the part'],
  [['is away', 'are away', 'was away', 'were away'], 'is unavailable'],
  [['mend', 'mends', 'mended', 'mending'], 'repair, fix'],
  [['bury', 'buries', 'buried', 'burial'], 'dead-letter'],
  [['past life', 'past lives', 'new life'], 'previous run, new run'],
  [['the door'], 'the gate, the API'],
  [['massacre'], 'the removal of too many containers'],
  [['stand in the way', 'stands in the way'], 'blocks, prevents; no problem found'],
  [['goodbye'], 'close'],
  [['at home'], 'listening, running'],
];

/** A phrase may be broken by the end of a line, also inside a comment. */
const GAP = String.raw`[\s*/#>]+`;
const PATTERNS = BANNED.flatMap(([phrases, instead]) =>
  phrases.map((phrase) => ({ pattern: new RegExp(`\\b${phrase.replaceAll(' ', GAP)}\\b`, 'gi'), instead })),
);

/** One text for each use of a banned phrase: where it is, which it is, and what to write instead. */
function findings(file: string, text: string): readonly string[] {
  return PATTERNS.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map(({ 0: found, index }) => {
      const line = text.slice(0, index).split('\n').length;
      return `${file}:${line}: "${found.replaceAll(new RegExp(GAP, 'g'), ' ')}"; write instead: ${instead}`;
    }),
  );
}

/** The README's table of settings is made from src/config/variables.ts; its words are that file's. */
const withoutSettings = (text: string): string =>
  text.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, (table) => table.replaceAll(/[^\n]/g, ''));

function filesBelow(folder: string): readonly string[] {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  return paths
    .filter((path) => !EXCEPT.has(path))
    .flatMap((path) => (isFolder(path) ? filesBelow(path) : EXTENSIONS.has(extname(path)) ? [path] : []));
}

const isFolder = (path: string): boolean => statSync(path).isDirectory();
const FILES = new Set(ROOTS.flatMap((root) => (isFolder(root) ? filesBelow(root) : [root])));

describe('the check of plain English', () => {
  it.each([
    ['a word', 'first\nWhoever asks', ['page.md:2: "Whoever"']],
    ['a phrase across two lines of a comment', '/**\n * the engine is\n * away\n */', ['page.md:2: "is away"']],
    ['each use of a phrase', 'massacre, massacre', ['page.md:1: "massacre"', 'page.md:1: "massacre"']],
    ['nothing in longer words and names', 'amend mendByHand recommend', []],
    ['nothing in the name of the Unix user', `runs as 'nobody'`, []],
  ])('the check reports %s', (_what, text, expected) => {
    expect(findings('page.md', text).map((finding) => finding.split(';')[0])).toEqual(expected);
  });
});

it('all texts are written in plain English', () => {
  const found = [...FILES].flatMap((file) => findings(file, withoutSettings(readFileSync(file, 'utf8'))));
  expect(found).toEqual([]);
});
