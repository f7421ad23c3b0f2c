import { Command, CommanderError } from 'commander';
import { addDatabaseUrlCommand } from './commands/database-url.js';
import { addDeadLettersCommand } from './commands/dead-letters/index.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEnginesCommand } from './commands/engines/index.js';
import { addEnqueueCommand } from './commands/enqueue/command.js';
import { UsageError } from '../domain/errors.js';
import { DONE, reportFailure } from './process/exit-codes.js';
import { addHoldCommand, addUnholdCommand } from './commands/holds/hold.js';
import { addHoldsCommand } from './commands/holds/list.js';
import { type CommandHost, createHost, type ProcessParts } from './process/run-command.js';
import { addLogCommand } from './commands/log.js';
import { addMigrateCommand } from './commands/migrate.js';
import { createOutput } from './terminal/command-output.js';
import { addRecordsCommand } from './commands/records/list-records.js';
import { addSweepCommand } from './commands/sweep/command.js';
import { addVerifyCommand } from './commands/verify/command.js';
import { addApiCommand, addServeCommand, addWorkerCommand } from './commands/serve-worker-api.js';

/** The commands as `--help` shows them, by purpose. */
const GROUPS: readonly (readonly [
  heading: string,
  additions: readonly ((program: Command, host: CommandHost) => void)[],
])[] = [
  ['Run the service:', [addServeCommand, addWorkerCommand, addApiCommand]],
  ['Remove or keep containers:', [addEnqueueCommand, addSweepCommand, addHoldCommand, addUnholdCommand]],
  ['Inspect:', [addRecordsCommand, addLogCommand, addHoldsCommand]],
  ['Diagnose and repair:', [addDoctorCommand, addVerifyCommand, addDeadLettersCommand, addEnginesCommand]],
  ['Set up:', [addMigrateCommand, addDatabaseUrlCommand]],
];

const FOOTER = `
Each command's --help shows examples and the settings it reads; serve --help shows every setting.
Traces and metrics are exported when the standard OTEL_* variables are set.
Exit codes: 0 done, 1 failed, 2 wrong use.`;

/** Parses the command line, runs the command, and resolves to the process's exit code: 0 done, 1 failed, 2 wrong use. */
export async function runProgram(args: readonly string[], parts: ProcessParts): Promise<number> {
  const host = createHost(parts);
  const program = new Command('runtime-cleanup')
    .description('Removes the containers of stopped runtimes.')
    .version(parts.version)
    .exitOverride()
    .addHelpText('after', FOOTER)
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({
      writeOut: (text) => void parts.stdout.write(text),
      writeErr: (text) => void parts.stderr.write(text),
      // reportFailure writes it, as it writes every other failure.
      outputError: () => {},
      getOutHelpWidth: () => parts.stdout.columns ?? 100,
      getErrHelpWidth: () => parts.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const [heading, additions] of GROUPS) {
    program.commandsGroup(heading);
    for (const add of additions) add(program, host);
  }
  program.helpCommand('help [command]', 'Shows the help of a command');
  try {
    await program.parseAsync(args, { from: 'user' });
    return host.exitCode();
  } catch (thrown) {
    // Help or the version was requested and has been shown.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return DONE;
    const output = createOutput({ ...parts, isJson: args.includes('--json') });
    return reportFailure(output, parts.environment, thrown instanceof CommanderError ? wrongUse(thrown) : thrown);
  }
}

/** A command in the list of commands: without its options, which are in its own help. */
function termOf(command: Command): string {
  const names = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...names].join(' ');
}

function wrongUse({ code, message }: CommanderError): UsageError {
  if (code === 'commander.help') return new UsageError(['no command is given']);
  return new UsageError([message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')]);
}
