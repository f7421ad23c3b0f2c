import type { Command } from 'commander';
import { DONE, FAILED } from './failures.js';
import type { CommandHost, CommandOptions } from './host.js';
import { addCommand, ALL_SETTINGS } from './new-command.js';

export function addDemoCommand(program: Command, host: CommandHost): void {
  addCommand(program, {
    usage: 'demo',
    summary: 'Shows the service at work on real containers',
    details:
      'Creates containers in every state, cleans them up, compares what was expected with what is true, and leaves nothing behind. It makes a database of its own, on the server of DATABASE_URL if that is set.',
    examples: [['runtime-cleanup demo', 'under a minute on a local engine']],
    settings: ALL_SETTINGS,
  }).action((options: CommandOptions) =>
    host.runOnce(options, async ({ session, world, output }) => {
      const { stdout, stderr, isJson } = output;
      return (await world.runDemo(session, { stdout, stderr, json: isJson })) ? DONE : FAILED;
    }),
  );
}
