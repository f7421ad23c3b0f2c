/** `RTMANAGER_DOCKER_HOSTS`: several engines in one text, `name=address,name=address`. */
import { parseEngineAddress } from '../domain/engine-address.js';
import type { Reading } from './parsers.js';
import { shownUrl } from './shown-url.js';

/** An engine besides that of `DOCKER_HOST`. */
export interface EngineHost {
  /** What the records of this engine have in `docker_host`. */
  readonly name: string;
  /** As in `DOCKER_HOST`. */
  readonly host: string;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const NAME_RULE = 'a name has 1 to 64 characters, each a letter, a digit or . _ -';
export const ENGINE_NAMES_ALLOWED = `${NAME_RULE}, and is not default`;

interface Entry {
  /** Text before the first `=`; null: there is no `=`. */
  readonly name: string | null;
  readonly host: string;
}

function entriesOf(text: string): readonly Entry[] {
  return text.split(',').map((part) => {
    const entry = part.trim();
    const end = entry.indexOf('=');
    return end === -1 ? { name: null, host: entry } : { name: entry.slice(0, end), host: entry.slice(end + 1) };
  });
}

export function readEngineHosts(text: string): Reading<readonly EngineHost[]> {
  const hosts: EngineHost[] = [];
  for (const [index, { name, host }] of entriesOf(text).entries()) {
    const ordinal = `entry ${index + 1}`;
    const label = name === null || mayHoldSecret(text) ? ordinal : name;
    if (name === null) return refused(`${ordinal} has no name; it is written as name=address`);
    if (!NAME.test(name)) return refused(`${ordinal}: ${NAME_RULE}`);
    if (name.toLowerCase() === 'default') return refused(`${label}: DOCKER_HOST is the default engine`);
    if (hosts.some((other) => other.name === name)) return refused(`${label}: the name is given twice`);
    const address = parseEngineAddress(host);
    if (address.kind === 'invalid') return refused(`${label}: ${address.why}`);
    hosts.push({ name, host });
  }
  return { ok: true, value: hosts };
}

const refused = (why: string): Reading<never> => ({ ok: false, why });

/** A comma or a `=` in a password would make it look like a name, so that nothing of such a text may be shown. */
const mayHoldSecret = (text: string): boolean => /[@?]/.test(text);

/** A refused text without secrets. */
export function shownEngineHosts(text: string): string {
  if (mayHoldSecret(text)) return 'what is given (it may hold a password, not shown)';
  const shown = entriesOf(text).map(({ name, host }) =>
    name === null || name.includes(':') ? shownUrl(host) : `${name}=${shownUrl(host)}`,
  );
  return JSON.stringify(shown.join(','));
}

/** As `readEngineHosts` reads it back, without secrets. */
export const formatEngineHosts = (hosts: readonly EngineHost[]): string =>
  hosts.length === 0 ? 'not set' : hosts.map(formatEngineHost).join(',');

export const formatEngineHost = ({ name, host }: EngineHost): string => `${name}=${shownUrl(host)}`;
