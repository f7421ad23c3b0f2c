/** A set-up step that cannot go on; its message is meant for the person at the keyboard. */
export class SetUpError extends Error {
  /**
   * @param {string} message what is missing or broken
   * @param {{ remedy?: string, cause?: unknown }} [options] `remedy`: the one command that cures it
   */
  constructor(message, { remedy, cause } = {}) {
    super(remedy === undefined ? message : `${message}\n  Run: ${remedy}`, { cause });
    this.name = 'SetUpError';
  }
}
