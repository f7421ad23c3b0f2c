import { runNodeInForeground } from './command.mjs';
import { needsBrowser, needsServices } from './rules.mjs';
import { explain, say } from './say.mjs';
import { ensureBuild } from './steps/build.mjs';
import { ensureEnginePrograms, ensureServicePrograms } from './steps/engine-programs.mjs';
import { ensureNodeModules } from './steps/node-modules.mjs';
import { ensureBrowser } from './steps/packages.mjs';

/**
 * A task that gets what its tests need, then runs vitest; the tests start their own servers.
 * @param {{ setUp: (args: readonly string[]) => Promise<void>, options?: readonly string[] }} tests
 */
const testing =
  ({ setUp, options = [] }) =>
  /**
   * @param {readonly string[]} args of vitest
   * @param {ReturnType<import('./session.mjs').openSession>} session
   * @returns {Promise<number>} vitest's exit code
   */
  async (args, session) => {
    try {
      await setUp(args);
    } catch (error) {
      // Whoever reads the closing line of the tests finds it also when they could not begin.
      say(explain(error));
      process.stdout.write('0 passed, 1 failed\n');
      return 1;
    }
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...options, ...args];
    return session.runInForeground(() => runNodeInForeground(vitest, process.env));
  };

/** `npm test [-- arguments of vitest]` */
export const runTests = testing({
  setUp: async (args) => {
    await ensureNodeModules();
    await ensureBuild();
    if (needsServices(args)) await ensureServicePrograms({ who: 'The test run', command: 'npm test' });
    if (needsBrowser(args)) await ensureBrowser();
  },
});

/** `npm run test:image [-- arguments of vitest]`: the image and the compose files, built and run in an engine of their own. */
export const runImageTests = testing({
  setUp: async () => {
    await ensureNodeModules();
    await ensureEnginePrograms({
      who: 'The test of the image',
      command: 'npm run test:image',
      name: 'Programs for image and compose',
      programs: ['docker', 'mmdebstrap', 'slirp4netns', 'nsenter'],
    });
  },
  options: ['--config', 'test/image/vitest.config.ts'],
});
