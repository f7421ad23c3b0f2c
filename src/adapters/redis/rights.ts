import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messageOf, UnavailableError } from '../../domain/errors.js';

/** What a user of Redis must be allowed to do with the keys of one pattern. */
export interface NeededRights {
  /** What the keys begin with; the pattern is this and `*`. */
  readonly keyPrefix: string;
  /** Commands with arguments that change nothing which lasts; `KEY` stands for a key of its own. */
  readonly commands: readonly string[];
  /** Commands that no script may call, with arguments that Redis refuses. */
  readonly outsideScripts?: readonly string[];
}

/** The first right that is missing: a command, or the keys of a pattern. */
export type MissingRight =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'keys'; readonly pattern: string };

export type RightsClient = Pick<Redis, 'eval' | 'call'>;

/**
 * Runs commands one by one, each on a key that is deleted again, and returns the first that this user may not run. Redis
 * checks rights in a script as outside of it, and lets no other client see what happens between its commands.
 */
const TRY_COMMANDS = `
for i = 1, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[i], '%S+') do words[#words + 1] = word == 'KEY' and KEYS[1] or word end
  local answer = redis.pcall(unpack(words))
  if type(answer) == 'table' and answer.err and
    (string.find(answer.err, 'ACL failure') or string.find(answer.err, 'user executing the script can')) then
    return words[1]
  end
  redis.pcall('del', KEYS[1])
end
return false`;

/** A script that no server knows. */
const EVALSHA = `evalsha ${'f'.repeat(40)} 0`;

/**
 * Finds out by trying whether the user has these rights, because to ask Redis for them (`ACL`) is a right of its own.
 * Rejects with `UnavailableError` when Redis cannot be asked.
 */
export async function findMissingRight(
  redis: RightsClient,
  needed: readonly NeededRights[],
): Promise<MissingRight | undefined> {
  try {
    for (const rights of needed) {
      const missing = await missingFor(redis, rights);
      if (missing !== undefined) return missing;
    }
    return undefined;
  } catch (error) {
    throw new UnavailableError('redis', `Redis cannot be asked for rights: ${messageOf(error)}`, { cause: error });
  }
}

async function missingFor(
  redis: RightsClient,
  { keyPrefix, commands, outsideScripts = [] }: NeededRights,
): Promise<MissingRight | undefined> {
  const key = `${keyPrefix}rights-check:${randomUUID()}`;
  const tries: readonly (() => Promise<unknown>)[] = [
    () => redis.eval(TRY_COMMANDS, 1, key, 'del KEY', ...commands),
    ...[EVALSHA, ...outsideScripts].map((command) => () => {
      const [name = '', ...args] = command.replace('KEY', key).split(' ');
      return redis.call(name, ...args);
    }),
  ];
  for (const attempt of tries) {
    try {
      const denied = await attempt();
      if (typeof denied === 'string') return { kind: 'command', command: denied };
    } catch (error) {
      if (isNoPermission(error)) return missingRight(messageOf(error), `${keyPrefix}*`);
      if (!(error instanceof Error && error.name === 'ReplyError')) throw error;
    }
  }
  return undefined;
}

/** Whether Redis refused a command for want of a right. */
export const isNoPermission = (error: unknown): boolean => messageOf(error).startsWith('NOPERM');

/** The message names a command, or says that a key may not be used. */
function missingRight(message: string, pattern: string): MissingRight {
  const command = /'(?<command>[^']+)' command/.exec(message)?.groups?.['command'];
  return command === undefined ? { kind: 'keys', pattern } : { kind: 'command', command };
}
