/** What goes in and out, once: requests are checked by it, answers are written by it, and the OpenAPI document is made of it. */
import { z } from 'zod';
import { FAILURE_CODES } from '../../domain/error-codes.js';
import { GAME_ID_MAX_CHARACTERS, gameIdProblem } from '../../domain/operation.js';
import { RUNTIME_STATUSES } from '../../domain/runtime-record.js';
import { RETENTION_VERDICTS } from '../../retention/judge-record.js';

const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601, in UTC.' });
const nullableInstant = instant.nullable();
const PROBLEM_CODES = [...FAILURE_CODES, 'unauthorized'] as const;

export const problem = z
  .object({ error: z.object({ code: z.enum(PROBLEM_CODES), message: z.string() }) })
  .meta({ id: 'Problem', description: 'Why a request was not carried out: a stable code, and a sentence for people.' });

export const gameId = z
  .string()
  .transform((text) => text.trim())
  .superRefine((text, context) => {
    const found = gameIdProblem(text);
    if (found !== undefined) context.addIssue({ code: 'custom', message: found });
  })
  .meta({
    description: `The game: 1 to ${GAME_ID_MAX_CHARACTERS} characters after trimming, any but control characters. Percent-encode what a path cannot hold, "/" as %2F. Clients take the ids "." and ".." for steps in the path: write them with a space behind, as ..%20, which is trimmed.`,
    examples: ['game-42'],
  });
export const jobId = z
  .string()
  .min(1)
  .max(1_000)
  .meta({ description: 'The id of a job in the queue.', examples: ['17'] });

export const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(50)
  .meta({ description: 'How many items a page holds at most.' });
const cursor = (of: string) => z.string().optional().meta({ description: of });
export const after = cursor('`next` of the page before.');
export const before = cursor('`next` of the page before: rows older than it.');
export const status = z.enum(RUNTIME_STATUSES).optional().meta({ description: 'Only records of this status.' });
export const failureCode = z.enum(FAILURE_CODES);
export const failedBefore = z.iso
  .datetime({ offset: true })
  .optional()
  .meta({ description: 'Only what failed before this instant.', examples: ['2026-11-23T08:00:00Z'] });

const next = z.string().nullable().meta({
  description:
    'Pass it back as `after` (`before` for operations) to get the page behind this one; null: this was the last.',
});

const hold = z
  .object({ reason: z.string(), heldBy: z.string(), heldUntil: nullableInstant })
  .meta({ id: 'Hold', description: 'Keeps a stopped container from retention, not from an administrator.' });
const deadLetterOf = z.object({ jobId: z.string(), code: z.string() });

const recordFields = {
  gameId: z.string(),
  status: z.string(),
  currentContainerId: z.string().nullable(),
  currentImageRef: z.string().nullable(),
  engineEndpoint: z.string(),
  statePath: z.string(),
  dockerNetwork: z.string(),
  startedAt: nullableInstant,
  stoppedAt: nullableInstant,
  removedAt: nullableInstant,
  lastOpAt: instant,
  createdAt: instant,
  leaseEpoch: z.string().meta({ description: 'The fence: a 64-bit integer as text.' }),
};
export const record = z
  .object(recordFields)
  .meta({ id: 'Record', description: 'What is believed about the runtime of one game.' });
const dueAt = nullableInstant.meta({
  description: 'When the retention sweep takes its container as things stand; null: never.',
});
const listedRecord = z.object({ ...recordFields, cleanup_due_at: dueAt }).meta({ id: 'ListedRecord' });
export const judgedRecord = z
  .object({
    ...recordFields,
    cleanup_due_at: dueAt,
    retention: z.object({
      verdict: z.enum(RETENTION_VERDICTS),
      stoppedSince: nullableInstant,
      hold: hold.nullable(),
      deadLetter: deadLetterOf.nullable(),
    }),
  })
  .meta({ id: 'JudgedRecord', description: 'A record, and what the retention sweep makes of it.' });
export const recordPage = z.object({ items: z.array(listedRecord), next }).meta({ id: 'RecordPage' });

const operation = z
  .object({
    id: z.string(),
    gameId: z.string(),
    opKind: z.string(),
    opSource: z.string(),
    sourceRef: z.string(),
    imageRef: z.string(),
    containerId: z.string(),
    outcome: z.enum(['success', 'failure']),
    errorCode: z.string(),
    errorMessage: z.string(),
    startedAt: instant,
    finishedAt: instant,
    jobId: z.string(),
    attempt: z.number(),
  })
  .meta({ id: 'Operation', description: 'One row of the operation log.' });
export const operationPage = z.object({ items: z.array(operation), next }).meta({ id: 'OperationPage' });

const JOB_STATES = ['waiting', 'delayed', 'active', 'completed', 'failed', 'unknown'] as const;
export const accepted = z.object({ jobId: z.string(), state: z.enum(JOB_STATES) }).meta({
  id: 'Accepted',
  description: 'The queue has stored the request; the job is its own or one that was live already.',
});

const attempt = z
  .object({ attempt: z.number(), code: z.string(), message: z.string(), at: z.string(), traceId: z.string() })
  .meta({ id: 'FailedAttempt' });
export const cleanup = z
  .object({
    jobId: z.string(),
    gameId: z.string(),
    opSource: z.string(),
    sourceRef: z.string(),
    state: z.enum(JOB_STATES),
    enqueuedAt: instant,
    startedAt: nullableInstant,
    finishedAt: nullableInstant,
    nextTryAt: nullableInstant,
    tries: z.number(),
    attempts: z.array(attempt),
    result: z
      .object({ outcome: z.string(), errorCode: z.string(), errorMessage: z.string(), record: record.nullable() })
      .nullable()
      .meta({ description: 'Of a completed job.' }),
    failure: z.object({ code: z.string(), message: z.string() }).nullable().meta({ description: 'Of a dead letter.' }),
  })
  .meta({ id: 'Cleanup', description: 'A job, its failed tries, and how it ended if it has.' });

const deadLetterFields = {
  jobId: z.string(),
  gameId: z.string(),
  opSource: z.string(),
  sourceRef: z.string(),
  code: failureCode,
  message: z.string(),
  failedAt: instant,
  enqueuedAt: instant,
  replays: z.number(),
};
export const deadLetterPage = z
  .object({ items: z.array(z.object(deadLetterFields).meta({ id: 'DeadLetter' })), next })
  .meta({ id: 'DeadLetterPage' });
export const deadLetterStory = z
  .object({
    ...deadLetterFields,
    jobName: z.string(),
    payload: z.unknown(),
    attempts: z.array(attempt),
    pastLives: z.array(z.object({ reason: z.string(), at: z.string(), attempts: z.array(attempt) })),
  })
  .meta({
    id: 'DeadLetterStory',
    description: 'A dead letter with its payload, its tries, and its lives before replays.',
  });
export const replayed = z
  .object({ jobId: z.string(), status: z.enum(['replayed', 'live']), state: z.enum(JOB_STATES) })
  .meta({ id: 'Replayed', description: '`live`: it was no dead letter any more.' });
export const replayRequest = z
  .strictObject({
    code: failureCode.optional().meta({ description: 'All dead letters of this error code.' }),
    all: z.literal(true).optional().meta({ description: 'All dead letters there are.' }),
  })
  .refine(({ code, all }) => (code === undefined) !== (all === undefined), {
    message: 'give either "code" or "all": true',
  })
  .meta({ id: 'ReplayRequest' });
export const replayTally = z
  .object({ replayed: z.number(), skipped: z.number() })
  .meta({ id: 'ReplayTally', description: '`skipped`: no dead letters any more when their turn came.' });

const judgement = z
  .object({
    gameId: z.string(),
    status: z.string(),
    containerId: z.string().nullable(),
    verdict: z.enum(RETENTION_VERDICTS),
    stoppedSince: nullableInstant,
    dueAt,
    hold: hold.nullable(),
    deadLetter: deadLetterOf.nullable(),
  })
  .meta({ id: 'Judgement', description: 'What the retention sweep makes of one record.' });
const summary = z
  .object({
    running: z.number(),
    stopped: z.number(),
    removed: z.number(),
    due: z.number(),
    held: z.number().meta({ description: 'Past their retention, but held.' }),
    deadLetters: z.number().meta({ description: 'Past their retention, but their cleanup is a dead letter.' }),
    lagSeconds: z.number().meta({ description: 'How long the oldest due record has been due.' }),
    retentionSeconds: z.number(),
    refusal: z.string().nullable().meta({ description: 'Why a sweep would enqueue nothing, and what overrides it.' }),
  })
  .meta({ id: 'RetentionSummary', description: 'Counts of runtime records.' });
export const plan = z
  .object({
    asOf: instant.meta({ description: "The moment of the judgement, by the database's clock." }),
    summary: summary.nullable().meta({ description: 'With the first page only: it counts all records.' }),
    items: z.array(judgement),
    next,
  })
  .meta({ id: 'RetentionPlan' });

export const readiness = z
  .object({ ready: z.boolean(), checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })) })
  .meta({ id: 'Readiness' });
export const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });
