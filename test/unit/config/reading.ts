import { readConfig, type Config } from '../../../src/config/config.js';
import type { Environment } from '../../../src/config/environment.js';
import { ConfigError } from '../../../src/domain/errors.js';

/** Reads settings as a user who is not root. */
export const read = (environment: Environment = {}): Config =>
  readConfig(environment, { uid: 1000, homeDir: '/home/kim' });

/** The lines with which an environment is refused; an empty list when it is accepted. */
export function linesOf(environment: Environment): readonly string[] {
  try {
    read(environment);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.lines;
    throw thrown;
  }
  return [];
}
