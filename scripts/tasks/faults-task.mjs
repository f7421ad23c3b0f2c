import { runNodeInForeground } from '../command.mjs';
import { ensureBuild } from '../steps/build.mjs';
import { ensureServicePrograms } from '../steps/engine-programs.mjs';
import { ensureNodeModules } from '../steps/node-modules.mjs';

const PROGRAM = ['--import', 'tsx', 'test/faults/run.ts'];

/**
 * `npm run faults [-- arguments of the laboratory]`: prepares what it needs; the laboratory starts its own servers.
 * @param {readonly string[]} args
 * @param {ReturnType<import('../session.mjs').openSession>} session
 * @returns {Promise<number>} 0 when the program kept all its promises
 */
export const runFaults = async (args, session) => {
  await ensureNodeModules();
  await ensureBuild();
  const asksForHelp = args.includes('--help') || args.includes('-h');
  if (!asksForHelp) await ensureServicePrograms({ who: 'The fault laboratory', command: 'npm run faults' });
  return session.runInForeground(() => runNodeInForeground([...PROGRAM, ...args], process.env));
};
