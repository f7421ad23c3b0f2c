/**
 * The command that repeats a task as root with the same Node: sudo alone often resets PATH to one without it.
 * @param {string} command
 * @returns {string}
 */
export const asRoot = (command) => `sudo env "PATH=$PATH" ${command}`;
