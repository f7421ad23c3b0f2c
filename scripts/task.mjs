import { runFaults } from './faults.mjs';
import { runBench, runDemo } from './on-an-engine.mjs';
import { explain, say } from './say.mjs';
import { openSession } from './session.mjs';
import { runImageTests, runTests } from './test.mjs';

const TASKS = { bench: runBench, demo: runDemo, faults: runFaults, image: runImageTests, test: runTests };

/**
 * Runs one task, stops what it started, and sets the exit code.
 * @param {readonly string[]} words the task's name and its arguments
 */
export const runTask = async ([name = '', ...args]) => {
  if (!Object.hasOwn(TASKS, name)) {
    say(`usage: node scripts/run.mjs <${Object.keys(TASKS).join('|')}> [arguments]`);
    process.exitCode = 2;
    return;
  }
  const session = openSession();
  try {
    process.exitCode = await TASKS[name](args, session);
  } catch (error) {
    say(explain(error));
    process.exitCode = 1;
  } finally {
    await session.close();
  }
};
