import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messageOf, UnavailableError } from '../../domain/errors.js';

/** What a user of Redis must be allowed to do with the keys of one pattern. */
export interface NeededRights {
  /** What the keys begin with; the pattern is this and `*`. */
  readonly keyPrefix: string;
  /** Commands with arguments that change nothing which lasts; `KEY` stands for a key that no one else uses. */
  readonly commands: readonly string[];
}

/** The first right that is missing: a command, or the keys of a pattern. */
export type MissingRight =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'keys'; readonly pattern: string };

export type RightsClient = Pick<Redis, 'eval' | 'evalsha'>;

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

/** Known to no server: the answer is "no such script", or that the user may not ask. */
const UNKNOWN_SCRIPT = 'f'.repeat(40);

/**
 * Finds out by trying whether the user has these rights, because to ask Redis for them (`ACL`) is a right of its own.
 * Rejects with `UnavailableError` when Redis cannot be asked.
 */
export async function findMissingRight(
  redis: RightsClient,
  needed: readonly NeededRights[],
): Promise<MissingRight | undefined> {
  try {
    await redis.evalsha(UNKNOWN_SCRIPT, 0).catch((error: unknown) => {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
    });
    for (const { keyPrefix, commands } of needed) {
      const missing = await missingFor(redis, keyPrefix, commands);
      if (missing !== undefined) return missing;
    }
    return undefined;
  } catch (error) {
    const command = deniedCommand(error);
    if (command !== undefined) return { kind: 'command', command };
    throw new UnavailableError('redis', `Redis cannot be asked for rights: ${messageOf(error)}`, { cause: error });
  }
}

async function missingFor(
  redis: RightsClient,
  keyPrefix: string,
  commands: readonly string[],
): Promise<MissingRight | undefined> {
  try {
    const denied = await redis.eval(TRY_COMMANDS, 1, `${keyPrefix}rights-check:${randomUUID()}`, 'del KEY', ...commands);
    return typeof denied === 'string' ? { kind: 'command', command: denied } : undefined;
  } catch (error) {
    if (isNoPermission(error) && /\bkeys?\b/.test(messageOf(error))) return { kind: 'keys', pattern: `${keyPrefix}*` };
    throw error;
  }
}

/** Whether Redis refused a command for want of a right. */
export const isNoPermission = (error: unknown): boolean => messageOf(error).startsWith('NOPERM');

function deniedCommand(error: unknown): string | undefined {
  return isNoPermission(error) ? (/'(?<command>[^']+)' command/.exec(messageOf(error))?.groups?.['command'] ?? '?') : undefined;
}
