import type { Command } from 'commander';
import { type Result, recordToJson } from '../../../domain/result.js';
import { visible } from '../../../domain/text.js';
import { DONE, type ExitCode, FAILED } from '../../process/exit-codes.js';
import type { CommandHost, CommandOptions, CommandRun } from '../../process/run-command.js';
import { gameIdOf, actorOf } from '../../terminal/argument-parsers.js';
import type { Output } from '../../terminal/command-output.js';
import { addCommand, DATABASE_SETTINGS, ENGINE_SETTINGS, QUEUE_SETTINGS } from '../define-command.js';

interface ReopenOptions extends CommandOptions {
  readonly by?: string;
}

export function addReopenCommand(records: Command, host: CommandHost): void {
  addCommand(records, {
    usage: 'reopen <game-id>',
    summary: 'Undoes a cleanup that found a container already gone, although it exists',
    details:
      'The newest cleanup of the game must have recorded already_gone, and the engine must have the container, stopped and with the label of the game. Then the record is stopped again and names it, and the dead letters of the game are purged. The container itself is not touched; its next cleanup removes it. Exits with 1 when the record is not reopened.',
    examples: [
      ['runtime-cleanup records reopen game-7', 'puts the record back; "verify" names the games that need it'],
      ['runtime-cleanup records reopen game-7 --by kim', 'with another name in the operation log'],
      ['runtime-cleanup records reopen game-7 --json', 'prints { outcome, errorCode, errorMessage, record or null }'],
    ],
    settings: [
      ...DATABASE_SETTINGS,
      ...QUEUE_SETTINGS,
      ...ENGINE_SETTINGS,
      'RTMANAGER_LEASE_STORE',
      'RTMANAGER_GAME_LEASE_TTL_SECONDS',
    ],
  })
    .option('--by <who>', 'who asks, for the operation log; default: your user name')
    .action((gameId: string, _options: ReopenOptions, command: Command) => {
      // The list above this command has --json too, and commander gives it the option.
      const options = command.optsWithGlobals<ReopenOptions>();
      return host.runOnce(options, (run) => reopen(run, gameIdOf(gameId), options));
    });
}

async function reopen(
  { context, backend, output }: CommandRun<'openReopening'>,
  gameId: string,
  { by }: ReopenOptions,
): Promise<ExitCode> {
  const actor = actorOf(by);
  const handle = await backend.openReopening(context);
  try {
    const command = { gameId, opSource: 'operator_cli', sourceRef: '', actor } as const;
    const result = await handle.reopen(command, context.signal);
    show(output, gameId, result);
    return result.outcome === 'success' ? DONE : FAILED;
  } finally {
    await handle.close();
  }
}

function show(output: Output, gameId: string, result: Result): void {
  const { outcome, errorCode, errorMessage, record } = result;
  if (output.isJson) {
    output.document({ outcome, errorCode, errorMessage, record: record === null ? null : recordToJson(record) });
  } else if (outcome === 'success') {
    output.line(visible(`${gameId} is stopped again, with the container ${record.currentContainerId ?? ''}.`));
    if (errorMessage !== '') output.note(visible(errorMessage));
  } else {
    output.note(visible(`runtime-cleanup: ${gameId} was not reopened: ${errorCode}: ${errorMessage}`));
  }
}
