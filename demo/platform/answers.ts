/** What our own program answered, by command line or HTTP, as somebody reads it who trusts nothing. */
import { DemoError } from '../wait-until.js';

export function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DemoError(`${what} is no JSON: ${text.slice(0, 200)}`);
  }
}

export function fieldOf(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? Reflect.get(item, name) : undefined;
}

export function textOf(item: unknown, name: string): string {
  const value = fieldOf(item, name);
  return typeof value === 'string' ? value : '';
}

/** The list of that name in an answer; there must be one. */
export function listOf(answer: unknown, name: string): readonly unknown[] {
  const value = fieldOf(answer, name);
  if (Array.isArray(value)) return value;
  throw new DemoError(`there is no list "${name}" in ${JSON.stringify(answer)?.slice(0, 200)}`);
}

/** The games that a retention plan would have removed. */
export function dueGames(judgements: readonly unknown[]): readonly string[] {
  return judgements
    .filter((judgement) => textOf(judgement, 'verdict') === 'due')
    .map((judgement) => textOf(judgement, 'gameId'));
}
