import { spawn } from 'node:child_process';
import { projectFolder } from './project.mjs';
import { SetUpError } from './set-up-error.mjs';

/**
 * Runs a program to its end in the project's folder, with an empty stdin. Resolves to its output; rejects with SetUpError,
 * which contains the output, when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ environment?: NodeJS.ProcessEnv, remedy?: string, outlivesUs?: boolean }} [options] `remedy`: the command to
 *   suggest when it fails; `outlivesUs`: let it finish even when this process ends
 * @returns {Promise<string>}
 */
export const runQuietly = (command, args, { environment = process.env, remedy, outlivesUs = false } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: projectFolder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: outlivesUs,
    });
    const endNow = () => child.kill();
    if (!outlivesUs) process.on('exit', endNow);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const shown = [command, ...args].join(' ');
    child.once('error', (cause) =>
      reject(new SetUpError(`"${shown}" could not be started: ${cause.message}`, { remedy })),
    );
    child.once('close', (code, signal) => {
      process.off('exit', endNow);
      if (code === 0) resolve(output);
      else reject(new SetUpError(`${output.trim()}\n"${shown}" failed (${signal ?? `exit code ${code}`})`, { remedy }));
    });
  });

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/**
 * Runs the task's own program on this terminal, and resolves to its exit code when it ends.
 * @param {readonly string[]} args of node
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number>}
 */
export const runNodeInForeground = (args, environment) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: projectFolder, env: environment, stdio: 'inherit' });
    const handlers = FORWARDED.map((signal) => {
      // The terminal sends Ctrl-C to the child too; a second SIGINT would make it exit before it has tidied up.
      const forward = () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
      process.on(signal, forward);
      return () => process.off(signal, forward);
    });
    const stopForwarding = () => handlers.forEach((off) => off());
    child.once('error', (cause) => {
      stopForwarding();
      reject(new SetUpError(`node could not be started: ${cause.message}`, { cause }));
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0));
    });
  });
