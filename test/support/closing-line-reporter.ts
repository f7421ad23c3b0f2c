import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const countModule = (module: TestModule, tally: Tally): void => {
  const failedBefore = tally.failed;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') tally.passed += 1;
    else if (state === 'failed') tally.failed += 1;
    else tally.skipped += 1;
  }
  // A file that could not be loaded or whose hook failed is failed without any failed test.
  if (module.state() === 'failed' && tally.failed === failedBefore) tally.failed += 1;
};

const count = (modules: readonly TestModule[], errors: readonly SerializedError[]): Tally => {
  const tally = { passed: 0, failed: errors.length, skipped: 0 };
  for (const module of modules) countModule(module, tally);
  return tally;
};

const closingLine = ({ passed, failed, skipped }: Tally): string => {
  const counts = [`${passed} passed`, `${failed} failed`];
  if (skipped > 0) counts.push(`${skipped} skipped`);
  return counts.join(', ');
};

/**
 * Ends the output with `N passed, N failed[, N skipped]` on a line of its own and makes the exit code agree with it. A
 * run that fails without a failed test (global setup, configuration, nothing ran) counts as one failure.
 * Vitest wants a default export that `new` works on.
 */
export default function createClosingLineReporter(): Reporter {
  let tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  return {
    onInit: () => {
      process.once('exit', (code) => {
        if (tally.failed === 0 && (code !== 0 || tally.passed === 0)) tally = { ...tally, failed: 1 };
        if (tally.failed > 0 && code === 0) process.exitCode = 1;
        process.stdout.write(`${closingLine(tally)}\n`);
      });
    },
    onTestRunEnd: (modules, errors) => {
      tally = count(modules, errors);
    },
  };
}
