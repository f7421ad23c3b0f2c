import type { Command } from 'commander';
import { addListCommand } from './list.js';
import { addPurgeCommand } from './purge.js';
import { addReplayCommand } from './replay.js';
import { addShowCommand } from './show.js';
import type { CommandHost } from '../../process/run-command.js';

/** The group of commands for cleanups that failed for good. */
export function addDeadLettersCommand(program: Command, host: CommandHost): void {
  const group = program
    .command('dead-letters')
    .summary('Lists, shows, replays and purges the cleanups that failed for good')
    .description(
      'A cleanup that failed for good is kept as a dead letter until it is replayed or purged. Sweeps do not enqueue a game that has one.',
    );
  addListCommand(group, host);
  addShowCommand(group, host);
  addReplayCommand(group, host);
  addPurgeCommand(group, host);
}
