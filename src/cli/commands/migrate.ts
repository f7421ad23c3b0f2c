import type { Command } from 'commander';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../process/run-command.js';
import { addCommand, DATABASE_SETTINGS, QUEUE_SETTINGS } from './define-command.js';

export function addMigrateCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'migrate',
    summary: 'Brings the tables of the database up to date, those of a queue in it too',
    details:
      'Safe to run at any time, and from several processes at once. Applied migrations are recorded in the table runtime_cleanup_migrations.',
    examples: [
      ['runtime-cleanup migrate', 'apply pending migrations'],
      ['runtime-cleanup migrate --json', 'the same; prints { "applied": [names] }'],
    ],
    settings: [...DATABASE_SETTINGS, ...QUEUE_SETTINGS],
  }).action((options: CommandOptions) => host.runOnce(options, migrate));
}

async function migrate({ context, backend, output }: CommandRun<'migrate'>): Promise<ExitCode> {
  const applied = await backend.migrate(context, (line) => {
    if (!output.isJson) output.note(line);
  });
  if (output.isJson) output.document({ applied });
  else if (applied.length === 0) output.line('The database is up to date.');
  else output.line(`Applied ${applied.join(', ')}. The database is up to date.`);
  return DONE;
}
