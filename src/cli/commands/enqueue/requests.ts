import { gameIdProblem, opSourceProblem, sourceRefProblem } from '../../../domain/operation.js';
import { isFullContainerId } from '../../../domain/runtime-record.js';
import type { CleanupJobData } from '../../../jobs/ports.js';
import { UsageError } from '../../../domain/errors.js';

export interface RequestOptions {
  readonly source: string;
  readonly ref?: string;
  readonly expect?: string;
}

const SHOWN_PROBLEMS = 10;

/** The requested jobs, all of them valid; otherwise throws a `UsageError`, and nothing has been sent. */
export function requestsOf(gameIds: readonly string[], { source, ref, expect }: RequestOptions): CleanupJobData[] {
  const ids = gameIds.map((id) => id.trim());
  const problems = [
    ids.length === 0 ? 'no game id was given' : undefined,
    opSourceProblem(source),
    sourceRefProblem(ref ?? ''),
    expectProblem(expect, ids.length),
    ...ids.map(gameIdProblem),
  ].filter((problem) => problem !== undefined);
  if (problems.length > SHOWN_PROBLEMS) {
    throw new UsageError([
      ...problems.slice(0, SHOWN_PROBLEMS),
      `and ${problems.length - SHOWN_PROBLEMS} more like these`,
    ]);
  }
  if (problems.length > 0) throw new UsageError(problems);

  const shared = {
    opSource: source,
    ...(ref === undefined ? {} : { sourceRef: ref }),
    ...(expect === undefined ? {} : { expectedContainerId: expect }),
  };
  return ids.map((gameId) => Object.assign({ gameId }, shared));
}

function expectProblem(expect: string | undefined, games: number): string | undefined {
  if (expect === undefined) return undefined;
  if (games > 1) return '--expect names one container, so it needs exactly one game id';
  return isFullContainerId(expect)
    ? undefined
    : '--expect needs the full container id, 64 lower-case hex digits (docker inspect --format "{{.Id}}" shows it)';
}

/** The game ids of the command line; `-` stands for those on standard input, one on each line. */
export async function gameIdsOf(
  args: readonly string[],
  stdin: AsyncIterable<string | Uint8Array>,
): Promise<readonly string[]> {
  if (!args.includes('-')) return args;
  const lines = (await textOf(stdin)).split('\n').filter((line) => line.trim() !== '');
  return args.flatMap((arg) => (arg === '-' ? lines : [arg]));
}

async function textOf(stdin: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
