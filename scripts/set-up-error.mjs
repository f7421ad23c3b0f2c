/** A step of the set-up failed; the message is shown to the user. */
export class SetUpError extends Error {
  /**
   * @param {string} message what is missing or failed
   * @param {{ remedy?: string, cause?: unknown }} [options] `remedy`: the command that solves the problem
   */
  constructor(message, { remedy, cause } = {}) {
    super(remedy === undefined ? message : `${message}\n  Run: ${remedy}`, { cause });
    this.name = 'SetUpError';
  }
}

/**
 * The command that repeats a task as root with the same Node: sudo alone often resets PATH to one without it.
 * @param {string} command
 * @returns {string}
 */
export const asRoot = (command) => `sudo env "PATH=$PATH" ${command}`;
