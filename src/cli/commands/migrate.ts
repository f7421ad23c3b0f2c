import type { Command } from 'commander';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from './define-command.js';

export function addMigrateCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'migrate',
    summary: 'Brings the database up to date, the queue in it too',
    details:
      'Safe to run at any time and from several places at once; keeps its books where Prisma Migrate keeps them.',
    examples: [
      ['runtime-cleanup migrate', 'apply what is pending'],
      ['runtime-cleanup migrate --json', 'the same; prints { "applied": [names] }'],
    ],
    settings: [...DATABASE_SETTINGS, ...QUEUE_SETTINGS],
  }).action((options: CommandOptions) => host.runOnce(options, migrate));
}

async function migrate({ session, world, output }: Run): Promise<ExitCode> {
  const applied = await world.migrate(session, (line) => {
    if (!output.isJson) output.note(line);
  });
  if (output.isJson) output.document({ applied });
  else if (applied.length === 0) output.line('The database is up to date.');
  else output.line(`Applied ${applied.join(', ')}. The database is up to date.`);
  return DONE;
}
