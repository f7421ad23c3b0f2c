import type { Command } from 'commander';
import { describeSettings } from '../../config/settings.js';

export interface CommandText {
  /** Name and arguments, as commander writes them: `log <game-id>`. */
  readonly usage: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** More about the command, for its own help. */
  readonly details?: string;
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** Names of the settings that this command reads. */
  readonly settings: readonly string[];
}

/** Adds a command with what every command has: `--json`, examples, and the settings it reads. */
export function addCommand(
  program: Command,
  { usage, summary, details = '', examples, settings }: CommandText,
): Command {
  return program
    .command(usage)
    .summary(summary)
    .description(`${summary}. ${details}`.trim())
    .option('--json', 'write JSON instead of a table')
    .addHelpText('after', () => `\n${examplesText(examples)}\n\n${settingsText(settings)}`);
}

function examplesText(examples: CommandText['examples']): string {
  const lines = examples.flatMap(([command, does]) => [`  ${command}`, `      ${does}`]);
  return ['Examples:', ...lines].join('\n');
}

function settingsText(names: readonly string[]): string {
  const lines = describeSettings()
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, meaning, fallback, allowed }) => [
      `  ${name}`,
      `      ${meaning}`,
      `      allowed: ${allowed}; default: ${fallback}`,
    ]);
  return ['Settings (environment):', ...lines].join('\n').replaceAll('`', '');
}

/** Where the records are stored; nearly every command reads these. */
export const DATABASE_SETTINGS = ['DATABASE_URL', 'RTMANAGER_DATA_DIR', 'RTMANAGER_LOG_LEVEL'];
export const QUEUE_SETTINGS = ['REDIS_URL', 'RTMANAGER_QUEUE_BACKEND', 'RTMANAGER_QUEUE_DATABASE_URL'];
/** Where the engines are, and how they are reached. */
export const ENGINE_SETTINGS = [
  'DOCKER_HOST',
  'RTMANAGER_DOCKER_HOSTS',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'RTMANAGER_DOCKER_TIMEOUT',
];
export const ALL_SETTINGS = describeSettings().map(({ name }) => name);
