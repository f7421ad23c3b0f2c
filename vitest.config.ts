import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/**
 * Files of the laboratory and of whole processes take longest, so they start first, in turn: a long file that starts last
 * keeps the whole run waiting, and too many of one kind start dozens of processes at the same moment.
 */
class LongestInTurn extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const of = (name: string): TestSpecification[] => sorted.filter(({ project }) => project.name === name);
    const [laboratory, wholeProcesses] = [of('laboratory'), of('e2e')];
    const turns = Array.from({ length: Math.max(laboratory.length, wholeProcesses.length) }, (_, turn) =>
      [laboratory[turn], wholeProcesses[turn]].filter((file) => file !== undefined),
    );
    return [...turns.flat(), ...of('integration'), ...of('unit')];
  }
}

/**
 * What needs servers waits much of its time: for a lease to expire, for a queue to find a dead worker, for a process to
 * start. So more files run side by side than there are cores. They share the run's PostgreSQL and engine, with a database
 * and containers of their own; what is killed or frozen is a server of that test alone.
 */
const sideBySide = {
  globalSetup: ['test/support/services.ts'],
  maxWorkers: 4,
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    sequence: { sequencer: LongestInTurn },
    projects: [
      // No I/O, no clock: seconds in all. The time limit is there for what hangs, not for a machine with much else to do.
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Most of the time was spent on loading the same modules for each file anew; no unit test changes one.
          isolate: false,
          maxWorkers: '100%',
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      // Each adapter on its real counterpart, started for this run alone.
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/{contract,integration,faults}/**/*.test.ts'],
          exclude: ['**/*.lab.test.ts'],
          ...sideBySide,
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      // Whole processes, as a user starts them.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...sideBySide,
          isolate: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      // The fault laboratory's experiments, made small. What they measure is judged with much room; exact figures are for `npm run faults`.
      {
        extends: true,
        test: {
          name: 'laboratory',
          include: ['test/faults/**/*.lab.test.ts'],
          ...sideBySide,
          isolate: false,
          // Each experiment has servers and workers of its own.
          maxConcurrency: 3,
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
