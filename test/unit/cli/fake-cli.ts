import { EventEmitter } from 'node:events';
import type { CommandBackend } from '../../../src/cli/command-context.js';
import { runProgram } from '../../../src/cli/program.js';
import type { Environment } from '../../../src/config/environment.js';
import { createManualClock } from '../../support/manual-clock.js';
import type { StopSignal } from '../../../src/domain/errors.js';

interface CliOptions {
  readonly environment?: Environment;
  readonly stdin?: readonly (string | Uint8Array)[];
  readonly isTTY?: boolean;
}

/** The program with captured output; a member of the backend that a test does not give throws. */
export function fakeCli(
  backend: Partial<CommandBackend>,
  { environment = {}, stdin = [], isTTY = false }: CliOptions = {},
) {
  const clock = createManualClock();
  const signals = new EventEmitter();
  const written = { stdout: '', stderr: '' };
  const exits: number[] = [];
  let loads = 0;
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
      return true;
    },
    isTTY,
    columns: 100,
  });
  const unasked = async (): Promise<never> => {
    throw new TypeError('the command called a member that this test does not give');
  };
  const whole: CommandBackend = {
    migrate: unasked,
    openReader: unasked,
    openProducer: unasked,
    openRetention: unasked,
    openHolds: unasked,
    openEngines: unasked,
    openReopening: unasked,
    openDeadLetters: unasked,
    runService: unasked,
    findDatabase: unasked,
    checkDependencies: unasked as never,
    verifyInvariants: unasked as never,
    ...backend,
  };
  return {
    clock,
    written,
    exits,
    loads: () => loads,
    json: (): unknown => JSON.parse(written.stdout),
    raise: (signal: StopSignal) => signals.emit(signal),
    listeners: () =>
      signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM') + signals.listenerCount('SIGHUP'),
    run: (...args: readonly string[]) =>
      runProgram(args, {
        stdout: stream('stdout'),
        stderr: stream('stderr'),
        stdin: (async function* () {
          yield* stdin;
        })(),
        environment,
        signals,
        clock,
        exitNow: (code) => exits.push(code),
        loadBackend: async () => {
          loads += 1;
          return whole;
        },
        version: '1.2.3',
      }),
  };
}
