/** The users of Redis as `docs/operations.md` gives them to operators. */
import { readFileSync } from 'node:fs';

export interface RedisRule {
  readonly user: string;
  readonly password: string;
  /** What follows the user in `ACL SETUSER`. */
  readonly words: readonly string[];
}

const PAGE = new URL('../../../docs/operations.md', import.meta.url);
const LINE = /^ACL SETUSER (\S+) +(on >(\S+) .*)$/gm;

export function documentedRules(): readonly RedisRule[] {
  const [, block = ''] = /<!-- redis rules -->([\s\S]*?)<!-- \/redis rules -->/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  return [...block.matchAll(LINE)].map(([, user = '', words = '', password = '']) => ({
    user,
    password,
    words: words.split(' '),
  }));
}
