import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const textOf = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');

it('the image keeps the query compiler that the Prisma client loads', () => {
  const [, build] = /compilerBuild\s*=\s*"(\w+)"/.exec(textOf('prisma/schema.prisma')) ?? [];
  const [, kept] = /! -name '(query_compiler_[^']*)'/.exec(textOf('Dockerfile')) ?? [];
  expect(kept).toBe(`query_compiler_${build}_bg.postgresql.*`);
});
