/** A failed job's reason, in the contract's form: `<code>: <message>`. The one place that writes and reads it. */
import { isFailureCode, type FailureCode } from '../domain/error-codes.js';
import { storable } from '../domain/text.js';

export interface Reason {
  readonly code: FailureCode;
  readonly message: string;
}

export function writeReason({ code, message }: Reason): string {
  return `${code}: ${storable(message, 1_000)}`;
}

/** Undefined: the text begins with no code of the catalogue, so no worker of this service wrote it. */
export function readReason(text: string): Reason | undefined {
  const colon = text.indexOf(': ');
  const code = text.slice(0, Math.max(0, colon));
  return isFailureCode(code) ? { code, message: text.slice(colon + 2) } : undefined;
}

/** For people: a reason without a code of the catalogue is shown as a bug. */
export function shownReason(text: string): Reason {
  return readReason(text) ?? { code: 'internal_error', message: text };
}
