import { runNodeInForeground } from '../command.mjs';
import { explain, printLine } from '../output.mjs';
import { needsBrowser, needsServices } from '../rules.mjs';
import { ensureBuild, ensureDatabaseClient } from '../steps/build.mjs';
import { ensureEnginePrograms, ensureServicePrograms } from '../steps/engine-programs.mjs';
import { ensureNodeModules } from '../steps/node-modules.mjs';
import { ensureBrowser } from '../steps/packages.mjs';

/**
 * A task that prepares what its tests need, then runs vitest; the tests start their own servers.
 * @param {{ setUp: (args: readonly string[]) => Promise<void>, options?: readonly string[] }} tests `options`: of vitest,
 *   before the task's arguments
 */
const testTask =
  ({ setUp, options = [] }) =>
  /**
   * @param {readonly string[]} args of vitest
   * @param {ReturnType<import('../session.mjs').openSession>} session
   * @returns {Promise<number>} vitest's exit code
   */
  async (args, session) => {
    try {
      await setUp(args);
    } catch (error) {
      // .ci/run and other readers expect this line at the end of every test run, also when no test could start.
      printLine(explain(error));
      process.stdout.write('0 passed, 1 failed\n');
      return 1;
    }
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...options, ...args];
    return session.runInForeground(() => runNodeInForeground(vitest, process.env));
  };

/** `npm test [-- arguments of vitest]` */
export const runTests = testTask({
  setUp: async (args) => {
    await ensureNodeModules();
    await ensureDatabaseClient();
    if (needsServices(args)) {
      await ensureBuild();
      await ensureServicePrograms({ who: 'The test run', command: 'npm test' });
    }
    if (needsBrowser(args)) await ensureBrowser();
  },
});

/** `npm run test:unit [-- arguments of vitest]`: without services, browser and build, which no unit test uses. */
export const runUnitTests = testTask({
  setUp: async () => {
    await ensureNodeModules();
    await ensureDatabaseClient();
  },
  options: ['--project', 'unit'],
});

/** `npm run test:image [-- arguments of vitest]`: builds and runs the image and the compose files in a private engine. */
export const runImageTests = testTask({
  setUp: async () => {
    await ensureNodeModules();
    await ensureEnginePrograms({
      who: 'The image test',
      command: 'npm run test:image',
      name: 'Programs for image and compose',
      programs: ['docker', 'mmdebstrap', 'slirp4netns', 'nsenter'],
    });
  },
  options: ['--config', 'test/image/vitest.config.ts'],
});
