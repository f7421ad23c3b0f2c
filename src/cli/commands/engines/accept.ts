import type { Command } from 'commander';
import { visible } from '../../../domain/text.js';
import { describeIdentity } from '../../../engines/decide-gone.js';
import type { Acceptance, EngineRegistry } from '../../../engines/engine-ports.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { actorOf } from '../../terminal/argument-parsers.js';
import type { Output } from '../../terminal/command-output.js';
import { addCommand, DATABASE_SETTINGS } from '../define-command.js';

interface AcceptOptions extends CommandOptions {
  readonly by?: string;
}

export function addAcceptCommand(group: Command, host: CommandHost): void {
  addCommand(group, {
    usage: 'accept <name>',
    summary: 'Accepts the other identity that an engine has, and that its missing containers are gone',
    details:
      "The identity that answers at the address becomes the engine's own. The containers that are missing now, and no others, are believed to be gone; the next attempts of their cleanups succeed. First make sure that the engine is the right one and shows its containers: an accepted container that still exists elsewhere is not removed later. Exits with 0 when there is nothing to accept, and with 1 for an unknown engine.",
    examples: [
      ['runtime-cleanup engines accept default', 'in your name'],
      ['runtime-cleanup engines accept eu-1 --by kim', 'in the name of kim'],
      [
        'runtime-cleanup engines accept default --json',
        'prints { "accepted", "engine": { name, identity, ... }, "replaced": identity or null, "gone": [game ids] }',
      ],
    ],
    settings: DATABASE_SETTINGS,
  })
    .option('--by <who>', 'who accepts it; default: your user name')
    .action((name: string, options: AcceptOptions) => host.runOnce(options, (run) => accept(run, name, options)));
}

async function accept(
  { context, backend, output }: CommandRun<'openEngines'>,
  name: string,
  { by }: AcceptOptions,
): Promise<ExitCode> {
  const actor = actorOf(by);
  const { engines, close } = await backend.openEngines(context);
  try {
    const acceptance = await engines.accept(name, { name: actor, opSource: 'operator_cli' });
    if (acceptance === undefined) {
      await showUnknown(output, name, engines);
      return FAILED;
    }
    const { replaced, engine, gone } = acceptance;
    const accepted = replaced !== null || gone.length > 0;
    if (accepted)
      context.log.info({ actor, engine: name, replaced, identity: engine.identity, gone }, 'engine accepted');
    if (output.isJson) output.document({ accepted, ...acceptance });
    else showAcceptance(output, acceptance);
    return DONE;
  } finally {
    await close();
  }
}

/** Standard error's line for a name that no engine has. */
async function showUnknown(output: Output, name: string, engines: Pick<EngineRegistry, 'list'>): Promise<void> {
  const known = (await engines.list()).map((engine) => engine.name);
  const message = `no worker has used an engine named ${JSON.stringify(name)}; ${
    known.length === 0 ? 'none has been used yet' : `known: ${known.join(', ')}`
  }`;
  output.note(
    output.isJson ? JSON.stringify({ error: { code: 'not_found', message } }) : visible(`runtime-cleanup: ${message}`),
  );
}

/** How many games are listed for people; the JSON has all. */
const GAMES_SHOWN = 20;

function showAcceptance(output: Output, { replaced, engine, gone }: Acceptance): void {
  const name = JSON.stringify(engine.name);
  if (replaced === null && gone.length === 0) {
    output.line(
      visible(`There is nothing to accept: the engine ${name} has its own identity and no missing container.`),
    );
    return;
  }
  if (replaced !== null) {
    output.line(visible(`The engine ${name} has a new identity: ${describeIdentity(engine.identity)}`));
    output.line(visible(`The identity before: ${describeIdentity(replaced)}`));
  }
  if (gone.length > 0) {
    const more = gone.length > GAMES_SHOWN ? `, and ${gone.length - GAMES_SHOWN} more` : '';
    const containers = gone.length === 1 ? '1 container is' : `${gone.length} containers are`;
    output.line(visible(`${containers} accepted as gone: ${gone.slice(0, GAMES_SHOWN).join(', ')}${more}`));
  }
  if (replaced === null) return;
  output.note(
    'Cleanups go on. Containers that the new engine does not have will be reported as missing, to be accepted too.',
  );
}
