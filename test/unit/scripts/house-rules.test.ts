import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

const inProject = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const RULES = ['no-bare-error', 'no-boolean-parameter'];
const ERROR = 'house(no-bare-error)';
const BOOLEAN = 'house(no-boolean-parameter)';

const PLANTED: readonly (readonly [what: string, text: string, reported: readonly string[]])[] = [
  ['a bare Error', "throw new Error('broken');", [ERROR]],
  ['a bare TypeError without new', "export const e = TypeError('broken');", [ERROR]],
  ['a class of the catalogue', "throw new BugError('broken');", []],
  ['a boolean behind another parameter', 'export const f = (a: string, b: boolean) => [a, b];', [BOOLEAN]],
  [
    'a boolean default behind another parameter',
    'export function f(a: string, b = true) { return [a, b]; }',
    [BOOLEAN],
  ],
  ['a boolean in the type of a function', 'export type F = (a: string, b: boolean) => void;', [BOOLEAN]],
  ['a boolean in an options object', 'export const f = (a: string, { b }: { b: boolean }) => [a, b];', []],
  ['a boolean that is the only parameter', 'export const f = (held: boolean) => held;', []],
];

let folder: string;
let diagnostics: readonly Diagnostic[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'house-rules-'));
  PLANTED.forEach(([, text], index) => writeFileSync(join(folder, `${index}.ts`), text));
  const config = {
    jsPlugins: [inProject('scripts/lint/house-rules.mjs')],
    categories: { correctness: 'off' },
    rules: Object.fromEntries(RULES.map((rule) => [`house/${rule}`, 'error'])),
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const args = ['-c', join(folder, 'config.json'), '--format', 'json', folder];
  const { stdout } = spawnSync(inProject('node_modules/.bin/oxlint'), args, { encoding: 'utf8' });
  ({ diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(PLANTED.map(([what, , reported], index) => ({ what, reported, index })))(
  'the lint rules report $reported for $what',
  ({ reported, index }) => {
    const found = diagnostics.filter(({ filename }) => basename(filename) === `${index}.ts`);
    expect(found.map(({ code }) => code)).toEqual(reported);
  },
);

it.each([...RULES.map((name) => `house/${name}`), 'eslint/max-lines-per-function', 'eslint/max-params'])(
  'the configuration of the project enables %s as an error',
  (rule) => {
    const text = readFileSync(inProject('.oxlintrc.json'), 'utf8');
    expect(text).toMatch(new RegExp(`"${rule}": (\\[\\s*)?"error"`));
  },
);
