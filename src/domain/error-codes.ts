/**
 * The stable error codes of the contract. An operation ends with exactly one: the empty code is a fresh success,
 * `replay_no_op` a success that found the work already done, every other code a failure.
 */
export const SUCCESS_CODES = ['', 'replay_no_op'] as const;

export const FAILURE_CODES = [
  'invalid_request',
  'not_found',
  'container_mismatch',
  'conflict',
  'lease_lost',
  'engine_mismatch',
  'service_unavailable',
  'internal_error',
] as const;

export type SuccessCode = (typeof SUCCESS_CODES)[number];
export type FailureCode = (typeof FAILURE_CODES)[number];
export type ErrorCode = SuccessCode | FailureCode;

export function isFailureCode(text: string): text is FailureCode {
  return (FAILURE_CODES as readonly string[]).includes(text);
}
