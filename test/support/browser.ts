import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Those that `npm test` finds or installs, the smallest first. */
const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function pathOf(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A browser of the test's own, without a screen; to be closed by the test. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.map(pathOf).find((path) => path !== undefined);
  if (executablePath === undefined)
    throw new Error(`none of ${PROGRAMS.join(', ')} is installed; npm test installs one`);
  return chromium.launch({ executablePath, args: FLAGS });
}
