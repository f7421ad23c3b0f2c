import type { Command } from 'commander';
import type { CommandHost } from '../../process/run-command.js';
import { addAcceptCommand } from './accept.js';
import { addListCommand } from './list.js';

/** The group of commands for the engines and their identities. */
export function addEnginesCommand(program: Command, host: CommandHost): void {
  const group = program
    .command('engines')
    .summary('Lists the engines, and accepts what was found there')
    .description(
      'The identity of an engine is stored when a worker first uses it. While another engine answers at its address, or while it shows no evidence that it had the containers that it says are gone, cleanups are held until an operator accepts it.',
    );
  addListCommand(group, host);
  addAcceptCommand(group, host);
}
