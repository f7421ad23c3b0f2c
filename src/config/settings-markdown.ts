import type { Setting } from './variables.js';

/** The README's table of settings. */
export function settingsMarkdown(settings: readonly Setting[]): string {
  const row = (...cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const code = (text: string) => (/^[\w:/.-]+$/.test(text) ? `\`${text}\`` : text);
  return [
    row('variable', 'default', 'what it is', 'allowed'),
    row('---', '---', '---', '---'),
    ...settings.map(({ name, fallback, meaning, allowed, unit }) =>
      row(`\`${name}\``, code(fallback), meaning, unit === undefined ? allowed : `${allowed} (${unit})`),
    ),
    '',
  ].join('\n');
}
