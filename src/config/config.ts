import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ConfigError } from '../domain/errors.js';
import { visible } from '../domain/text.js';
import { contradictionLines } from './contradictions.js';
import { shownEngineHosts } from './engine-hosts.js';
import { type Environment, unknownNameLines } from './environment.js';
import type { Setting } from './field.js';
import { type Fields, SETTINGS, type SettingValues } from './settings.js';
import { shownUrl } from './shown-url.js';

/** The settings of one process: checked, free of contradictions, frozen. `settings.ts` says what each is. */
export interface Config extends SettingValues {
  readonly dockerEnvironment: DockerEnvironment;
}

/** Where Docker's own tools look for the engine when `DOCKER_HOST` is not set. */
interface DockerEnvironment {
  /** `DOCKER_CONTEXT`; null: the current context of `configDir`. */
  readonly context: string | null;
  /** Null: neither `DOCKER_CONFIG` nor a home folder. */
  readonly configDir: string | null;
  /** Null: this system has no such folder. */
  readonly runtimeDir: string | null;
  readonly homeDir: string | null;
}

/** What defaults take from the machine. */
export interface Machine {
  /** The number of the user; undefined where the system has none. */
  readonly uid: number | undefined;
  /** Null: the user has none, as in a container that runs as a bare number. */
  readonly homeDir: string | null;
}

/** Only some defaults need a home folder, so a user without one is no error yet. */
function thisMachine(): Machine {
  const uid = process.getuid?.();
  try {
    const homeDir = homedir();
    return { uid, homeDir: isAbsolute(homeDir) ? homeDir : null };
  } catch {
    return { uid, homeDir: null };
  }
}

const FIELDS: Fields = SETTINGS;
const isKey = (key: string): key is keyof SettingValues => key in FIELDS;
const KEYS = Object.keys(FIELDS).filter(isKey);

/**
 * Reads all settings, or throws a `ConfigError` with one line for each wrong one. A variable that is set to nothing
 * counts as not set, as Docker Compose and shells write it.
 */
export function readConfig(environment: Environment, machine: Machine = thisMachine()): Config {
  const given = Object.fromEntries(
    Object.entries(environment)
      .map(([name, text]) => [name, text?.trim() ?? ''] as const)
      .filter(([, text]) => text !== ''),
  );
  const { values, badLines } = readValues(given, machine);
  const lines = unknownNameLines(
    Object.keys(given),
    Object.values<Setting>(FIELDS).map(({ name }) => name),
  ).concat(isComplete(values) && badLines.length === 0 ? contradictionLines(values, given) : badLines);
  // A name or a value may hold a line feed, or steer the terminal that shows it.
  if (lines.length > 0 || !isComplete(values)) throw new ConfigError(lines.map(visible));
  return Object.freeze({ ...values, dockerEnvironment: dockerEnvironment(given, machine) });
}

interface ReadValues {
  readonly values: Partial<SettingValues>;
  /** One line for each value that is not allowed. */
  readonly badLines: readonly string[];
}

function readValues(given: Environment, { uid, homeDir }: Machine): ReadValues {
  const values: { -readonly [Key in keyof SettingValues]?: SettingValues[Key] } = {};
  const badLines: string[] = [];
  const machine = { isRoot: uid === 0, homeDir, dataHome: given['XDG_DATA_HOME'] };
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties a field to the value of the same key
  const read = <Key extends keyof SettingValues>(key: Key): void => {
    const field = FIELDS[key];
    const text = given[field.name];
    if (text === undefined) {
      values[key] = field.valueWhenNotSet({ ...values, ...machine });
      return;
    }
    const reading = field.read(text);
    if (reading.ok) values[key] = reading.value;
    else badLines.push(refusalOf(field, text, reading.why));
  };
  for (const key of KEYS) read(key);
  return { values, badLines };
}

const isComplete = (values: Partial<SettingValues>): values is SettingValues => KEYS.every((key) => key in values);

function refusalOf({ name, allowed }: Setting, text: string, why: string): string {
  return `${name}: ${shownValue(name, text)} is not allowed${why === '' ? '' : `: ${why}`}; allowed: ${allowed}`;
}

/** The value without secrets. */
function shownValue(name: string, text: string): string {
  if (name === 'RTMANAGER_API_TOKENS') return 'what is given (a secret, not shown)';
  if (name === 'RTMANAGER_DOCKER_HOSTS') return shownEngineHosts(text);
  return JSON.stringify(name.endsWith('_URL') || name === 'DOCKER_HOST' ? shownUrl(text) : text);
}

function dockerEnvironment(given: Environment, { uid, homeDir }: Machine): DockerEnvironment {
  const absolute = (path: string | undefined) => (path !== undefined && isAbsolute(path) ? path : undefined);
  const usualRuntimeDir = uid === undefined ? null : `/run/user/${uid}`;
  return {
    context: given['DOCKER_CONTEXT'] ?? null,
    configDir: given['DOCKER_CONFIG'] ?? (homeDir === null ? null : join(homeDir, '.docker')),
    runtimeDir: absolute(given['XDG_RUNTIME_DIR']) ?? usualRuntimeDir,
    homeDir,
  };
}

/** The settings as they took effect, by variable name, to be printed once at the start; passwords are left out. */
export function effectiveConfig(config: Config): Readonly<Record<string, string | number>> {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties a field to the value of the same key
  const shown = <Key extends keyof SettingValues>(key: Key) =>
    [FIELDS[key].name, FIELDS[key].show(config[key])] as const;
  const settings = Object.fromEntries(KEYS.map((key) => shown(key)));
  return config.databaseUrl === null
    ? { ...settings, DATABASE_URL: `embedded PostgreSQL in ${config.dataDir}` }
    : settings;
}
