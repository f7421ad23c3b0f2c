import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeSettings, settingsMarkdown } from '../../../src/config/settings.js';

it('the README lists the settings of the program', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, table] = /<!-- settings -->\n([\s\S]*?)<!-- \/settings -->/.exec(readme) ?? [];
  expect(table).toBe(settingsMarkdown(describeSettings()));
});
