import type { Command } from 'commander';
import { visible } from '../../../domain/text.js';
import { describeIdentity } from '../../../engines/decide-gone.js';
import { engineProblems } from '../../../engines/engine-problems.js';
import type { EngineRecord, EngineRegistry } from '../../../engines/engine-ports.js';
import { DONE, type ExitCode } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { type Output, shownTime } from '../../terminal/command-output.js';
import { addCommand, DATABASE_SETTINGS, ENGINE_SETTINGS } from '../define-command.js';

export function addListCommand(group: Command, host: CommandHost): void {
  addCommand(group, {
    usage: 'list',
    summary: 'Lists the engines: identity, another one at the address, missing containers',
    details: 'Shows what workers have found; asks no engine.',
    examples: [
      ['runtime-cleanup engines list', 'each engine, and why its cleanups are held'],
      [
        'runtime-cleanup engines list --json',
        'prints { "engines": [{ name, address, identity, observed, missing, ... }] }',
      ],
    ],
    settings: [...DATABASE_SETTINGS, ...ENGINE_SETTINGS],
  }).action((options: CommandOptions) => host.runOnce(options, list));
}

async function list({ context, backend, output }: CommandRun<'openEngines'>): Promise<ExitCode> {
  const { engines, addresses, close } = await backend.openEngines(context);
  try {
    const rows = await listRows(engines, addresses());
    if (output.isJson)
      output.document({ engines: rows.map(({ stored, ...row }) => ({ ...row, ...documentOf(stored) })) });
    else showRows(output, rows);
    return DONE;
  } finally {
    await close();
  }
}

interface Row {
  readonly name: string;
  /** Null: the engine is not configured here. */
  readonly address: string | null;
  /** Undefined: no worker has used the engine yet. */
  readonly stored: EngineRecord | undefined;
}

/** The engines that workers have used, and those that are configured here. */
async function listRows(
  engines: Pick<EngineRegistry, 'list'>,
  addresses: ReadonlyMap<string, string>,
): Promise<readonly Row[]> {
  const stored = new Map((await engines.list()).map((engine) => [engine.name, engine]));
  const names = [...new Set([...addresses.keys(), ...stored.keys()])];
  return names.map((name) => ({ name, address: addresses.get(name) ?? null, stored: stored.get(name) }));
}

/** The same fields for every engine. */
const documentOf = (stored: EngineRecord | undefined) => ({
  identity: stored?.identity ?? null,
  observed: stored?.observed ?? null,
  observedAt: stored?.observedAt ?? null,
  firstSeenAt: stored?.firstSeenAt ?? null,
  lastSeenAt: stored?.lastSeenAt ?? null,
  missing: stored?.missing ?? 0,
  acceptedAt: stored?.acceptedAt ?? null,
  acceptedBy: stored?.acceptedBy ?? null,
});

function showRows(output: Output, rows: readonly Row[]): void {
  if (rows.length === 0) {
    output.note('There are no engines.');
    return;
  }
  output.table(
    ['NAME', 'ADDRESS', 'LAST SEEN', 'MISSING', 'ACCEPTED', 'IDENTITY', 'OTHER IDENTITY'],
    rows.map(({ name, address, stored }) => [name, address ?? 'not configured here', ...storedCells(stored)]),
  );
  for (const { stored } of rows) {
    for (const problem of stored === undefined ? [] : engineProblems(stored)) output.note(visible(problem));
  }
}

function storedCells(stored: EngineRecord | undefined): readonly string[] {
  if (stored === undefined) return ['never', '', '', 'stored when a worker first uses it', ''];
  const { lastSeenAt, missing, acceptedAt, acceptedBy, identity, observed } = stored;
  return [
    shownTime(lastSeenAt),
    String(missing),
    acceptedAt === null ? '' : `${shownTime(acceptedAt)} by ${acceptedBy ?? ''}`,
    describeIdentity(identity),
    observed === null ? '' : describeIdentity(observed),
  ];
}
