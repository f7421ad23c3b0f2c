import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @param {...string} parts below the project's folder
 * @returns {string}
 */
export const inProject = (...parts) => join(projectFolder, ...parts);

/**
 * @param {...string} parts below the project's folder
 * @returns {any}
 */
export const readProjectJson = (...parts) => JSON.parse(readFileSync(inProject(...parts), 'utf8'));
