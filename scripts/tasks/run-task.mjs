import { explain, printLine } from '../output.mjs';
import { openSession } from '../session.mjs';
import { runBench, runDemo } from './engine-tasks.mjs';
import { runFaults } from './faults-task.mjs';
import { runImageTests, runTests, runUnitTests } from './test-tasks.mjs';

const TASKS = {
  bench: { run: runBench, help: 'measure throughput (npm run bench)' },
  demo: { run: runDemo, help: 'run the demo on real containers (npm run demo)' },
  faults: { run: runFaults, help: 'run the fault laboratory (npm run faults)' },
  image: { run: runImageTests, help: 'build and test the image and the compose files (npm run test:image)' },
  test: { run: runTests, help: 'run all tests except those of the image (npm test)' },
  unit: { run: runUnitTests, help: 'run the unit tests, which need no services (npm run test:unit)' },
};

const usage = () =>
  [
    'Usage: node scripts/run.mjs <task> [arguments of the task]',
    '',
    'Installs, generates and builds what the task needs, then runs it. Tasks:',
    ...Object.entries(TASKS).map(([name, { help }]) => `  ${name.padEnd(6)}  ${help}`),
  ].join('\n');

/**
 * Runs one task, stops the services it started, and sets the exit code.
 * @param {readonly string[]} words the task's name and its arguments
 */
export const runTask = async ([name = '', ...args]) => {
  if (name === '--help' || name === '-h') {
    console.log(usage());
    return;
  }
  if (!Object.hasOwn(TASKS, name)) {
    if (name !== '') printLine(`unknown task "${name}"`);
    printLine(usage());
    process.exitCode = 2;
    return;
  }
  const session = openSession();
  try {
    process.exitCode = await TASKS[name].run(args, session);
  } catch (error) {
    printLine(explain(error));
    process.exitCode = 1;
  } finally {
    await session.close();
  }
};
