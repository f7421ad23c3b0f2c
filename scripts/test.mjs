import { asRoot } from './as-root.mjs';
import { runNodeInForeground } from './command.mjs';
import { needsBrowser, needsServices } from './rules.mjs';
import { explain, say } from './say.mjs';
import { SetUpError } from './set-up-error.mjs';
import { ensureBuild } from './steps/build.mjs';
import { ensureNodeModules } from './steps/node-modules.mjs';
import { ensureBrowser, ensurePrograms } from './steps/packages.mjs';

/** @param {{ readonly who: string, readonly command: string }} task who wants them, and what the person ran */
export const ensureServicePrograms = async ({ who, command }) => {
  if (process.platform !== 'linux') {
    throw new SetUpError(`${who} starts a Docker engine of its own, which works on Linux only. Without it:`, {
      remedy: 'npm run test:unit',
    });
  }
  if (process.getuid() !== 0) {
    throw new SetUpError(`${who} starts a Docker engine of its own, apart from any other, which needs root.`, {
      remedy: asRoot(command),
    });
  }
  await ensurePrograms('Redis and Docker programs', ['redis-server', 'dockerd', 'ip', 'unshare']);
};

const setUp = async (args) => {
  await ensureNodeModules();
  await ensureBuild();
  if (needsServices(args)) await ensureServicePrograms({ who: 'The test run', command: 'npm test' });
  if (needsBrowser(args)) await ensureBrowser();
};

/**
 * `npm test [-- arguments of vitest]`: gets everything the tests need, then runs them; they start their own servers.
 * @param {readonly string[]} args
 * @param {ReturnType<import('./session.mjs').openSession>} session
 * @returns {Promise<number>} vitest's exit code
 */
export const runTests = async (args, session) => {
  try {
    await setUp(args);
  } catch (error) {
    // Whoever reads the closing line of the tests finds it also when they could not begin.
    say(explain(error));
    process.stdout.write('0 passed, 1 failed\n');
    return 1;
  }
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args];
  return session.runInForeground(() => runNodeInForeground(vitest, process.env));
};
