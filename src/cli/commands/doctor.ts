import type { Command } from 'commander';
import { DONE, type ExitCode, FAILED } from '../process/exit-codes.js';
import type { CommandHost, CommandOptions, Run } from '../process/run-command.js';
import { addCommand, ALL_SETTINGS } from './define-command.js';
import { type Output, shown } from '../terminal/output.js';
import type { Check } from '../command-context.js';

export function addDoctorCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'doctor',
    summary: 'Checks each dependency and says what to do about what it finds',
    details: 'Exits with 1 when a check failed.',
    examples: [
      ['runtime-cleanup doctor', 'check engine, database, queue, leases, the schedule of sweeps, retention and API'],
      ['runtime-cleanup doctor --json', 'the same; prints { "ok", "checks": [{ name, status, detail, advice }] }'],
    ],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) => host.runOnce(options, examine));
}

async function examine({ session, world, output }: Run): Promise<ExitCode> {
  const checks: Check[] = [];
  for await (const check of world.checkDependencies(session)) {
    checks.push(check);
    if (!output.isJson) show(output, check);
    session.signal.throwIfAborted();
  }
  const isWell = checks.every(({ status }) => status !== 'failed');
  if (output.isJson) output.document({ ok: isWell, checks });
  else output.line(isWell ? 'Nothing stands in the way.' : 'Mend what failed, then run doctor again.');
  return isWell ? DONE : FAILED;
}

function show({ line, colours }: Output, { name, status, detail, advice }: Check): void {
  const colour = { ok: colours.green, warn: colours.yellow, failed: colours.red }[status];
  line(`${colour(status.padEnd(6))}  ${shown(name)}: ${shown(detail)}`);
  if (advice !== undefined) line(`        ${shown(advice)}`);
}
