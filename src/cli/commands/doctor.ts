import type { Command } from 'commander';
import { DONE, type ExitCode, FAILED } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../process/run-command.js';
import { addCommand, ALL_SETTINGS } from './define-command.js';
import { visible } from '../../domain/text.js';
import type { Output } from '../terminal/command-output.js';
import type { Check } from '../command-context.js';

export function addDoctorCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'doctor',
    summary: 'Checks each dependency and says how to repair what has failed',
    details: 'Exits with 1 when a check has failed.',
    examples: [
      ['runtime-cleanup doctor', 'check each engine, database, queue, leases, sweep schedule, retention and API'],
      ['runtime-cleanup doctor --json', 'the same; prints { "ok", "checks": [{ name, status, detail, advice }] }'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runOnce(options, checkAll));
}

async function checkAll({ context, backend, output }: CommandRun<'checkDependencies'>): Promise<ExitCode> {
  const checks: Check[] = [];
  for await (const check of backend.checkDependencies(context)) {
    checks.push(check);
    if (!output.isJson) show(output, check);
    context.signal.throwIfAborted();
  }
  const ok = checks.every(({ status }) => status !== 'failed');
  if (output.isJson) output.document({ ok, checks });
  else output.line(ok ? 'No check failed.' : 'Repair what failed, then run doctor again.');
  return ok ? DONE : FAILED;
}

function show({ line, colours }: Output, { name, status, detail, advice }: Check): void {
  const colour = { ok: colours.green, warn: colours.yellow, failed: colours.red }[status];
  line(`${colour(status.padEnd(6))}  ${visible(name)}: ${visible(detail)}`);
  if (advice !== undefined) line(`        ${visible(advice)}`);
}
