import type { Environment } from '../../config/environment.js';
import {
  ConfigurationError,
  messageOf,
  MissingRightError,
  UnavailableError,
  ConfigError,
  StopRequestedError,
  UsageError,
} from '../../domain/errors.js';
import { visible } from '../../domain/text.js';
import type { Output } from '../terminal/command-output.js';

export const DONE = 0;
export const FAILED = 1;
const WRONG_USE = 2;
export type ExitCode = typeof DONE | typeof FAILED | typeof WRONG_USE;

interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly lines: readonly string[];
  readonly advice?: string;
}

/** Writes to standard error, once, what went wrong and what to do; returns the exit code. */
export function reportFailure(output: Output, environment: Environment, thrown: unknown): ExitCode {
  const { exitCode, code, lines, advice } = failureOf(thrown);
  if (output.isJson) {
    output.note(
      JSON.stringify({ error: { code, message: lines.join('\n'), ...(advice === undefined ? {} : { advice }) } }),
    );
  } else {
    for (const line of lines) output.note(`runtime-cleanup: ${visible(line)}`);
    if (advice !== undefined) output.note(advice);
  }
  if (wantsStack(environment) && thrown instanceof Error) output.note(thrown.stack ?? '');
  return exitCode;
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof UsageError) {
    return {
      exitCode: WRONG_USE,
      code: 'invalid_request',
      lines: thrown.lines,
      advice: 'Add --help to see the options and examples.',
    };
  }
  if (thrown instanceof ConfigError) return { exitCode: WRONG_USE, code: 'configuration', lines: thrown.lines };
  if (thrown instanceof ConfigurationError || thrown instanceof MissingRightError) {
    return { exitCode: FAILED, code: 'configuration', lines: oneLine(thrown.message) };
  }
  if (thrown instanceof UnavailableError) {
    const advice = '`runtime-cleanup doctor` checks every dependency and says how to repair it.';
    return { exitCode: FAILED, code: thrown.code, lines: oneLine(thrown.message), advice };
  }
  if (thrown instanceof StopRequestedError) return { exitCode: FAILED, code: 'stopped', lines: [thrown.message] };
  const advice = 'Set RTMANAGER_LOG_LEVEL=debug to see the stack trace.';
  return { exitCode: FAILED, code: 'internal_error', lines: oneLine(messageOf(thrown)), advice };
}

const oneLine = (text: string): readonly string[] => [text.trim().replaceAll(/\s*\n\s*/g, ' ')];

function wantsStack(environment: Environment): boolean {
  return ['debug', 'trace'].includes(environment['RTMANAGER_LOG_LEVEL']?.trim() ?? '');
}
