import type { Command } from 'commander';
import { ConfigurationError } from '../../domain/errors.js';
import { DONE, type ExitCode } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../process/run-command.js';
import { addCommand, DATABASE_SETTINGS } from './define-command.js';

export function addDatabaseUrlCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'database-url',
    summary: 'Prints the address of the embedded PostgreSQL, for other services and tools on this machine',
    details:
      'The address has no password: PostgreSQL lets in the user who runs the service, and root, on a Unix socket. ' +
      'Starts nothing; exits with 1 when the embedded PostgreSQL does not run.',
    examples: [
      ['psql "$(runtime-cleanup database-url)"', 'look into the database'],
      ['runtime-cleanup database-url --json', 'the same; prints { "url" }'],
    ],
    settings: DATABASE_SETTINGS,
  }).action((options: CommandOptions) => host.runOnce(options, printAddress));
}

async function printAddress({ context, backend, output }: CommandRun<'findDatabase'>): Promise<ExitCode> {
  const { databaseUrl, dataDir } = context.config;
  if (databaseUrl !== null) {
    throw new ConfigurationError(
      'DATABASE_URL is set, so no embedded PostgreSQL is used; other services need the value of DATABASE_URL',
    );
  }
  const url = await backend.findDatabase(context);
  if (url === undefined) {
    throw new ConfigurationError(
      `no embedded PostgreSQL runs for the data folder ${dataDir}; start one with "runtime-cleanup serve", worker or api, ` +
        'which keep it running, and set RTMANAGER_DATA_DIR here as it is set there',
    );
  }
  if (output.isJson) output.document({ url });
  else output.line(url);
  return DONE;
}
