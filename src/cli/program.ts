import { Command, CommanderError } from 'commander';
import { addDemoCommand } from './demo-command.js';
import { addDoctorCommand } from './doctor-command.js';
import { addEnqueueCommand } from './enqueue-command.js';
import { DONE, reportFailure, UsageError } from './failures.js';
import { createHost, type ProcessParts } from './host.js';
import { addLogCommand } from './log-command.js';
import { addMigrateCommand } from './migrate-command.js';
import { createOutput } from './output.js';
import { addRecordsCommand } from './records-command.js';
import { addApiCommand, addServeCommand, addWorkerCommand } from './work-command.js';

const ANSWERED = new Set(['commander.helpDisplayed', 'commander.version']);

const FOOTER = `
Each command's --help shows examples and the settings it reads; serve --help shows all settings.
Traces and metrics are exported when the standard OTEL_* variables say so.
Exit codes: 0 done, 1 failed, 2 wrong use.`;

/** Parses the command line, runs the command, and resolves to the process's exit code: 0 done, 1 failed, 2 wrong use. */
export async function runProgram(args: readonly string[], parts: ProcessParts): Promise<number> {
  const host = createHost(parts);
  const program = new Command('runtime-cleanup')
    .description('Removes the containers of stopped runtimes.')
    .version(parts.version)
    .exitOverride()
    .addHelpText('after', FOOTER)
    .configureOutput({
      writeOut: (text) => void parts.stdout.write(text),
      writeErr: (text) => void parts.stderr.write(text),
      // Said by reportFailure, as every other failure is.
      outputError: () => {},
      getOutHelpWidth: () => parts.stdout.columns ?? 100,
      getErrHelpWidth: () => parts.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const add of [
    addServeCommand,
    addWorkerCommand,
    addApiCommand,
    addMigrateCommand,
    addEnqueueCommand,
    addRecordsCommand,
    addLogCommand,
    addDoctorCommand,
    addDemoCommand,
  ]) {
    add(program, host);
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return host.exitCode();
  } catch (thrown) {
    if (thrown instanceof CommanderError && ANSWERED.has(thrown.code)) return DONE;
    const output = createOutput({ ...parts, isJson: args.includes('--json') });
    return reportFailure(output, parts.environment, thrown instanceof CommanderError ? wrongUse(thrown) : thrown);
  }
}

function wrongUse({ code, message }: CommanderError): UsageError {
  if (code === 'commander.help') return new UsageError(['which command?']);
  return new UsageError([message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')]);
}
