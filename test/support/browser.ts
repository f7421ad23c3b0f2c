import { type Browser, chromium } from 'playwright-core';
import { BROWSERS } from '../../scripts/rules.mjs';
import { which } from '../../scripts/which.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser of the test's own, without a screen; to be closed by the test. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = BROWSERS.map((program) => which(program)).find((path) => path !== null);
  if (executablePath === undefined) throw new Error(`no ${BROWSERS.join(', no ')} here; npm test installs one`);
  return chromium.launch({ executablePath, args: FLAGS });
}
