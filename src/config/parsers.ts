/** What the text of a variable may be: schemas from text to value, each used by one or more settings. */
import { z } from 'zod';
import { parseDurationMs } from './duration.js';

export type Parser<Value> = z.ZodType<Value, string>;

export const matching = (isAllowed: (text: string) => boolean): Parser<string> => z.string().refine(isAllowed);

export type Reading<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly why: string };

/** Text that `read` understands; the reason of a refusal is added to the message. */
export const readBy = <Value>(read: (text: string) => Reading<Value>) =>
  z.string().transform((text, context) => {
    const reading = read(text);
    if (reading.ok) return reading.value;
    context.addIssue({ code: 'custom', params: { why: reading.why } });
    return z.NEVER;
  });

/** Text that is kept as it is, where `parse` reads an address in it. */
export const addressBy =
  (parse: (text: string) => { readonly kind: string } | { readonly kind: 'invalid'; readonly why: string }) =>
  (text: string): Reading<string> => {
    const address = parse(text);
    return 'why' in address ? { ok: false, why: address.why } : { ok: true, value: text };
  };

/** Text that `parse` understands; undefined refuses it without a reason. */
export const parsed = <Value>(parse: (text: string) => Value | undefined) =>
  readBy<Value>((text) => {
    const value = parse(text);
    return value === undefined ? { ok: false, why: '' } : { ok: true, value };
  });

/** Why `readBy` refused a text; empty when it gave no reason. */
export function reasonOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const why: unknown = issue?.code === 'custom' ? issue.params?.['why'] : undefined;
  return typeof why === 'string' ? why : '';
}

export const oneOf = <const Words extends readonly string[]>(...words: Words) => z.enum(words);

export const number = (pattern: RegExp, min: number, max: number): Parser<number> =>
  z.string().regex(pattern).transform(Number).pipe(z.number().min(min).max(max));

export const whole = (min: number, max: number): Parser<number> => number(/^\d+$/, min, max);

export function duration(min: string, max: string): Parser<number> {
  const [minMs = 0, maxMs = 0] = [parseDurationMs(min), parseDurationMs(max)];
  return z
    .string()
    .transform((text) => parseDurationMs(text))
    .pipe(z.number().min(minMs).max(maxMs));
}

export const TOKEN_MIN_CHARACTERS = 16;
/** What may follow `Bearer ` (RFC 6750), long enough not to be guessed. */
const TOKEN = new RegExp(String.raw`^[\w.~+/-]{${TOKEN_MIN_CHARACTERS},}=*$`);

export function parseTokens(text: string): readonly string[] | undefined {
  const tokens = text.split(',').map((token) => token.trim());
  return tokens.every((token) => TOKEN.test(token)) ? tokens : undefined;
}

/** `50%` or `0.5` as a fraction above 0 and at most 1; undefined for anything else. */
export function parseShare(text: string): number | undefined {
  const { digits = '', percent } = /^(?<digits>\d{1,3}(?:\.\d{1,6})?)(?<percent>%)?$/.exec(text)?.groups ?? {};
  if (digits === '') return undefined;
  const share = percent === undefined ? Number(digits) : Number(digits) / 100;
  return share > 0 && share <= 1 ? share : undefined;
}

/** A share in percent; `parseShare` reads it back. */
export const formatShare = (share: number): string => `${Number((share * 100).toFixed(6))}%`;
