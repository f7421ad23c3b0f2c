import { z } from 'zod';
import { messageOf } from '../domain/errors.js';
import { isObject, isWritable } from '../domain/json.js';
import {
  type CleanupCommand,
  OP_KIND as JOB_NAME,
  OP_SOURCES,
  SOURCE_REF_MAX_CHARACTERS,
} from '../domain/operation.js';
import type { Delivery } from './delivery.js';

/**
 * The shape of a job's data. Unknown fields are refused: a misspelt precondition that is silently ignored could remove a
 * container that the producer wanted to keep. The cleanup service judges the values, so that every caller gets the same
 * answer; their rules stand here only for the published JSON Schema.
 */
const payloadSchema = z
  .strictObject({
    gameId: z.string().meta({
      description:
        'The game whose container is to go: 1 to 256 characters after trimming, none of them a control character.',
      pattern: String.raw`^\s*\S`,
    }),
    opSource: z.string().meta({ description: 'Who asks.', enum: [...OP_SOURCES] }),
    sourceRef: z
      .string()
      .meta({ description: "The caller's own reference.", maxLength: SOURCE_REF_MAX_CHARACTERS })
      .optional(),
    expectedContainerId: z
      .string()
      .meta({ description: 'Precondition: the full id that the record must name.', pattern: '^[0-9a-f]{64}$' })
      .optional(),
  })
  .meta({ title: JOB_NAME, description: 'The data of a cleanup_container job in the queue runtime-cleanup.' });

export type ReadPayload =
  | { readonly valid: true; readonly command: CleanupCommand }
  /** `command` holds what could be read from the payload, for the operation log. */
  | { readonly valid: false; readonly command: CleanupCommand; readonly problem: string };

type JobFacts = Pick<CleanupCommand, 'jobId' | 'attempt'>;

/** Never throws: a job whose outcome is not recorded is run again and again. */
export function readPayload({ jobName, payload, jobId, run }: Delivery): ReadPayload {
  const job = { jobId, attempt: run };
  try {
    return jobName === JOB_NAME
      ? readCleanup(payload, job)
      : unreadable(payload, job, `job name ${JSON.stringify(jobName)} is unknown; allowed: ${JOB_NAME}`);
  } catch (thrown) {
    // Parsed JSON cannot throw here, but an object with a getter can.
    return unreadable(undefined, job, `the data cannot be read: ${messageOf(thrown)}`);
  }
}

function readCleanup(payload: unknown, job: JobFacts): ReadPayload {
  const read = payloadSchema.safeParse(payload);
  if (!read.success) return unreadable(payload, job, describe(read.error, payload));
  const { gameId, opSource, sourceRef = '', expectedContainerId = null } = read.data;
  return { valid: true, command: { gameId, opSource, sourceRef, expectedContainerId, ...job } };
}

function unreadable(payload: unknown, job: JobFacts, problem: string): ReadPayload {
  const fields: Record<string, unknown> = isObject(payload) ? { ...payload } : {};
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const command = { gameId: text('gameId'), opSource: text('opSource'), sourceRef: text('sourceRef') };
  return { valid: false, command: { ...command, expectedContainerId: null, ...job }, problem };
}

function describe(error: z.ZodError, payload: unknown): string {
  const problems = error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.message}`);
  const found = shown(payload);
  return `${problems.join('; ')} (found ${found.length > 200 ? `${found.slice(0, 200)}…` : found})`;
}

const shown = (payload: unknown): string =>
  isWritable(payload) ? (JSON.stringify(payload) ?? String(payload)) : 'data that is nested too deep';

/** The JSON Schema (draft 2020-12) of a job's data; the package ships it as `schema/cleanup-container.schema.json`. */
export function payloadJsonSchema(): object {
  return z.toJSONSchema(payloadSchema);
}
