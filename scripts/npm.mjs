import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runQuietly } from './command.mjs';
import { withoutCallingNpm } from './rules.mjs';

/** @returns {[command: string, first: string[]]} */
const npmCommandLine = () => {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const candidates = [process.env.npm_execpath ?? '', beside];
  const script = candidates.find((path) => path.endsWith('npm-cli.js') && existsSync(path));
  return script === undefined ? ['npm', []] : [process.execPath, [script]];
};

/**
 * Runs npm in the project's folder. Rejects with SetUpError, which contains npm's output, when it fails.
 * @param {readonly string[]} args
 * @returns {Promise<string>}
 */
export const npm = (args) => {
  const [command, first] = npmCommandLine();
  return runQuietly(command, [...first, ...args], {
    environment: withoutCallingNpm(process.env),
    remedy: `npm ${args.join(' ')}`,
  });
};
