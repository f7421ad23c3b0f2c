/** Reads what the program answered, by command line or HTTP, without trusting its shape. */
import { DemoError } from '../errors.js';

/** `what` names the answer in the error message. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DemoError(`${what} is not JSON: ${text.slice(0, 200)}`);
  }
}

export function fieldOf(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? Reflect.get(item, name) : undefined;
}

export function textOf(item: unknown, name: string): string {
  const value = fieldOf(item, name);
  return typeof value === 'string' ? value : '';
}

/** The list of that name in an answer. Throws a DemoError when it is missing. */
export function listOf(answer: unknown, name: string): readonly unknown[] {
  const value = fieldOf(answer, name);
  if (Array.isArray(value)) return value;
  throw new DemoError(`there is no list "${name}" in ${JSON.stringify(answer)?.slice(0, 200)}`);
}

/** The games whose containers a retention plan would remove. */
export function dueGames(judgements: readonly unknown[]): readonly string[] {
  return judgements
    .filter((judgement) => textOf(judgement, 'verdict') === 'due')
    .map((judgement) => textOf(judgement, 'gameId'));
}
