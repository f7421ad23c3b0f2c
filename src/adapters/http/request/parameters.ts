/** The schemas of requests. Fastify checks requests by them, and the OpenAPI document is made of them. */
import { z } from 'zod';
import { FAILURE_CODES } from '../../../domain/error-codes.js';
import { GAME_ID_MAX_CHARACTERS, gameIdProblem } from '../../../domain/operation.js';
import { RUNTIME_STATUSES } from '../../../domain/runtime-record.js';

export const gameId = z
  .string()
  .transform((text) => text.trim())
  .superRefine((text, context) => {
    const found = gameIdProblem(text);
    if (found !== undefined) context.addIssue({ code: 'custom', message: found });
  })
  .meta({
    description: `The game id: 1 to ${GAME_ID_MAX_CHARACTERS} characters after trimming, without control characters. Percent-encode characters that a path cannot contain, for example "/" as %2F. HTTP clients resolve the ids "." and ".." as path segments: append a space, as in ..%20, which the server trims.`,
    examples: ['game-42'],
  });
const jobId = z
  .string()
  .min(1)
  .max(1_000)
  .meta({ description: 'The id of a job in the queue.', examples: ['17'] });

export const ofGame = z.object({ game_id: gameId });
export const ofJob = z.object({ job_id: jobId });
export const ofEngine = z.object({
  name: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'The name of an engine, as records have it in `docker_host`.', examples: ['default'] }),
});
/** Refuses every query parameter, so that a misspelt one is not silently ignored. */
export const noQuery = z.strictObject({});

export const cleanupHeaders = z.object({
  'x-galaxy-caller': z.string().optional().meta({ description: '`gm` or `admin`; any other value counts as `admin`.' }),
  'x-request-id': z.string().optional().meta({
    description: "Becomes the operation's `sourceRef`; a new id is made when it is missing. The answer has it too.",
  }),
  prefer: z
    .string()
    .optional()
    .meta({
      description: '`wait=SECONDS` (RFC 7240): wait for the result, 60 seconds at most.',
      examples: ['wait=10'],
    }),
});

/** Of requests whose caller is written down. */
export const actorHeaders = z.object({
  'x-galaxy-caller': z
    .string()
    .optional()
    .meta({ description: 'Who asks, for log and operation log; `admin` without it.' }),
  'x-request-id': cleanupHeaders.shape['x-request-id'],
});

export const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(50)
  .meta({ description: 'The largest number of items on the page.' });
const cursor = (of: string) => z.string().optional().meta({ description: of });
export const after = cursor('`next` of the previous page.');
export const before = cursor('`next` of the previous page: only older rows.');
export const status = z.enum(RUNTIME_STATUSES).optional().meta({ description: 'Only records with this status.' });
export const failureCode = z.enum(FAILURE_CODES);
export const failedBefore = z.iso
  .datetime({ offset: true })
  .optional()
  .meta({ description: 'Only dead letters that failed before this time.', examples: ['2026-11-23T08:00:00Z'] });

export const replayRequest = z
  .strictObject({
    code: failureCode.optional().meta({ description: 'All dead letters with this error code.' }),
    all: z.literal(true).optional().meta({ description: 'All dead letters.' }),
  })
  .refine(({ code, all }) => (code === undefined) !== (all === undefined), {
    message: 'give either "code" or "all": true',
  })
  .meta({ id: 'ReplayRequest' });
