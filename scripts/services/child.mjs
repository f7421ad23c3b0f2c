import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetUpError } from '../set-up-error.mjs';
import { which } from '../which.mjs';
import { watchOver } from './janitor.mjs';

const POLL_MS = 15;
const LOG_TAIL_CHARACTERS = 2000;

/** One function for each running service. They share one listener, because Node warns about a leak from eleven listeners on. */
const endAtExit = new Set();
process.once('exit', () => endAtExit.forEach((endNow) => endNow()));

/** The end of the service's log, for an error message. */
const tailOf = (logFile) => {
  try {
    return readFileSync(logFile, 'utf8').trim().slice(-LOG_TAIL_CHARACTERS);
  } catch (error) {
    return `(its log ${logFile} cannot be read: ${error.message})`;
  }
};

/** On Linux the kernel ends the service when this process dies in any way; elsewhere only a normal exit ends it. */
const tiedToThisProcess = (command, args, signal) => {
  const setpriv = process.platform === 'linux' ? which('setpriv') : null;
  return setpriv === null
    ? [command, args]
    : [setpriv, ['--pdeathsig', signal.replace(/^SIG/, ''), '--', command, ...args]];
};

const untilReady = async ({ name, isReady, logFile, readyWithinMs, state }) => {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    if (state.failure !== null) throw new SetUpError(`${name} could not be started`, { cause: state.failure });
    if (!state.running) throw new SetUpError(`${name} ended while starting (${state.ending}):\n${tailOf(logFile)}`);
    if (await isReady()) return;
    if (performance.now() > deadline) {
      throw new SetUpError(`${name} was not ready after ${readyWithinMs} ms:\n${tailOf(logFile)}`);
    }
    await sleep(POLL_MS);
  }
};

/** Starts the program, which appends its output to the log file. `state` holds whether it runs and how it ended. */
const spawnService = ({ command, args, folder, logFile, stopSignal, identity, environment }) => {
  const log = openSync(logFile, 'a');
  const [program, programArgs] = tiedToThisProcess(command, args, stopSignal);
  const state = { running: true, failure: null, ending: '' };
  const child = spawn(program, programArgs, {
    stdio: ['ignore', log, log],
    env: environment,
    detached: true,
    ...identity,
  });
  closeSync(log);
  const endNow = () => child.kill(stopSignal);
  endAtExit.add(endNow);
  const dismissJanitor = child.pid === undefined ? () => undefined : watchOver({ pid: child.pid, folder });
  const ended = new Promise((resolve) => {
    const settle = () => {
      state.running = false;
      endAtExit.delete(endNow);
      dismissJanitor();
      resolve();
    };
    child.once('error', (error) => {
      state.failure = error;
      settle();
    });
    child.once('exit', (code, signal) => {
      state.ending = signal === null ? `exit code ${code}` : signal;
      settle();
    });
  });
  return { child, state, ended };
};

const stopService = async ({ child, state, ended }, stopSignal, stopWithinMs) => {
  if (!state.running) return;
  child.kill('SIGCONT');
  child.kill(stopSignal);
  const timeout = new AbortController();
  const inTime = await Promise.race([
    ended.then(() => true),
    sleep(stopWithinMs, false, { signal: timeout.signal }).catch(() => false),
  ]);
  timeout.abort();
  if (!inTime) child.kill('SIGKILL');
  await ended;
};

/**
 * Runs a program as a service of this process and waits until it is ready. It runs in its own process group, so that
 * Ctrl-C at the terminal reaches only this process, which then stops its services in order. If this process ends
 * before it has done so, the service is still stopped and its folder removed.
 * See child.d.mts for the types. Throws SetUpError, with the end of the log, when the service does not become ready.
 */
export const startService = async ({
  name,
  command,
  args,
  folder,
  isReady,
  readyWithinMs = 30_000,
  stopSignal = 'SIGTERM',
  stopWithinMs = 20_000,
  identity = {},
  environment = process.env,
}) => {
  const logFile = join(folder, `${name}.log`);
  const service = spawnService({ command, args, folder, logFile, stopSignal, identity, environment });
  const { child, state, ended } = service;
  const stop = () => stopService(service, stopSignal, stopWithinMs);
  try {
    await untilReady({ name, isReady, logFile, readyWithinMs, state });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid,
    logFile,
    ended,
    isRunning: () => state.running,
    signal: (signal) => child.kill(signal),
    stop,
  };
};
