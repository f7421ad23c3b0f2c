import type { Clock } from '../../async/clock.js';
import { readConfig, type Config } from '../../config/config.js';
import type { Environment } from '../../config/environment.js';
import { type LogLevel } from '../../config/settings.js';
import { createLogger } from '../../telemetry/logger.js';
import { type ExitCode, reportFailure } from './exit-codes.js';
import { createOutput, type Output } from '../terminal/output.js';
import type { CommandBackend, Session, TextStream } from '../command-context.js';
import { listenForStop, type SignalSource } from './stop-signals.js';

/** Everything of the process that the commands touch. */
export interface ProcessParts {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly environment: Environment;
  readonly signals: SignalSource;
  readonly clock: Clock;
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void;
  /** Loads the service itself; only called when a command is really run, so that `--help` answers at once. */
  readonly loadBackend: () => Promise<CommandBackend>;
  readonly version: string;
}

/** What a command's work is given. */
export interface Run {
  readonly session: Session;
  readonly world: CommandBackend;
  readonly output: Output;
  readonly stdin: ProcessParts['stdin'];
}

export interface CommandOptions {
  readonly json?: boolean;
}

/** Runs the work of the command that was called, and keeps its exit code. */
export interface CommandHost {
  /** A command that ends by itself: its results go to standard output, so its log goes to standard error. */
  readonly runOnce: (options: CommandOptions, work: (run: Run) => Promise<ExitCode>) => Promise<void>;
  /** A service: its log is what it has to say, so it goes to standard output. */
  readonly runService: (options: CommandOptions, work: (run: Run) => Promise<ExitCode>) => Promise<void>;
  readonly exitCode: () => ExitCode;
}

export function createHost(parts: ProcessParts): CommandHost {
  let exitCode: ExitCode = 0;

  const run = async (
    isJson: boolean,
    logOf: (config: Config) => { readonly level: LogLevel; readonly destination: TextStream },
    work: (run: Run) => Promise<ExitCode>,
  ) => {
    const { environment, clock } = parts;
    const output = createOutput({ ...parts, isJson });
    const stop = listenForStop({ source: parts.signals, clock, exitNow: () => parts.exitNow(1) });
    try {
      const config = readConfig(environment);
      const log = createLogger({ name: 'runtime-cleanup', ...logOf(config) });
      const world = await parts.loadBackend();
      exitCode = await work({
        session: { config, log, clock, signal: stop.signal },
        world,
        output,
        stdin: parts.stdin,
      });
    } catch (thrown) {
      exitCode = reportFailure(output, environment, thrown);
    } finally {
      stop.release();
    }
  };

  return {
    runOnce: ({ json }, work) =>
      run(json === true, ({ logLevel }) => ({ level: quieter(logLevel), destination: parts.stderr }), work),
    runService: ({ json }, work) =>
      run(json === true, ({ logLevel }) => ({ level: logLevel, destination: parts.stdout }), work),
    exitCode: () => exitCode,
  };
}

/** Beside results, only what is wrong is worth a line, unless somebody asked for more. */
const quieter = (level: LogLevel): LogLevel => (level === 'info' ? 'warn' : level);
