import type { Command } from 'commander';
import { addListCommand } from './list.js';
import { addPurgeCommand } from './purge.js';
import { addReplayCommand } from './replay.js';
import { addShowCommand } from './show.js';
import type { CommandHost } from '../../process/run-command.js';

/** The commands for jobs that have failed for good. */
export function addDeadLettersCommand(program: Command, host: CommandHost): void {
  const group = program
    .command('dead-letters')
    .summary('Lists, shows, replays and purges the cleanups that failed for good')
    .description(
      'Cleanups that failed for good wait as dead letters until they are replayed or purged. No sweep asks again for a game that has one.',
    );
  addListCommand(group, host);
  addShowCommand(group, host);
  addReplayCommand(group, host);
  addPurgeCommand(group, host);
}
