import type { Clock } from '../../async/clock.js';
import { readConfig, type Config } from '../../config/config.js';
import type { Environment } from '../../config/environment.js';
import type { LogLevel } from '../../config/settings.js';
import { createLogger } from '../../telemetry/logger.js';
import { type ExitCode, reportFailure } from './exit-codes.js';
import { createOutput, type Output } from '../terminal/command-output.js';
import type { CommandBackend, CommandContext, TextStream } from '../command-context.js';
import { listenForStop, type SignalSource } from './stop-signals.js';

/** Everything of the process that the commands use. */
export interface ProcessParts {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly environment: Environment;
  readonly signals: SignalSource;
  readonly clock: Clock;
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void;
  /** Loads the service itself; called only when a command is run, so that `--help` answers at once. */
  readonly loadBackend: () => Promise<CommandBackend>;
  readonly version: string;
}

/** One run of a command; `Needs` are the members of the backend that this command uses. */
export interface CommandRun<Needs extends keyof CommandBackend = never> {
  readonly context: CommandContext;
  readonly backend: Pick<CommandBackend, Needs>;
  readonly output: Output;
  readonly stdin: ProcessParts['stdin'];
}

export interface CommandOptions {
  readonly json?: boolean;
}

type Work = (run: CommandRun<keyof CommandBackend>) => Promise<ExitCode>;

/** Runs the work of the command that was called, and keeps its exit code. */
export interface CommandHost {
  /** A command that ends by itself: its results go to standard output, so its log goes to standard error. */
  readonly runOnce: (options: CommandOptions, work: Work) => Promise<void>;
  /** A service: its log is its only output, so it goes to standard output. */
  readonly runService: (options: CommandOptions, work: Work) => Promise<void>;
  readonly exitCode: () => ExitCode;
}

interface LogTarget {
  readonly level: LogLevel;
  readonly destination: TextStream;
}

export function createHost(parts: ProcessParts): CommandHost {
  let exitCode: ExitCode = 0;

  const run = async ({ json }: CommandOptions, logTarget: (config: Config) => LogTarget, work: Work) => {
    const { environment, clock, stdin } = parts;
    const output = createOutput({ ...parts, isJson: json === true });
    const stop = listenForStop({ source: parts.signals, clock, exitNow: () => parts.exitNow(1) });
    try {
      const config = readConfig(environment);
      const log = createLogger({ name: 'runtime-cleanup', ...logTarget(config) });
      const backend = await parts.loadBackend();
      exitCode = await work({ context: { config, log, clock, signal: stop.signal }, backend, output, stdin });
    } catch (thrown) {
      exitCode = reportFailure(output, environment, thrown);
    } finally {
      stop.release();
    }
  };

  return {
    runOnce: (options, work) =>
      run(options, ({ logLevel }) => ({ level: quieter(logLevel), destination: parts.stderr }), work),
    runService: (options, work) =>
      run(options, ({ logLevel }) => ({ level: logLevel, destination: parts.stdout }), work),
    exitCode: () => exitCode,
  };
}

/** Beside results only warnings and errors are logged, unless more was asked for. */
const quieter = (level: LogLevel): LogLevel => (level === 'info' ? 'warn' : level);
