/** The schemas of answers. Fastify writes answers by them, and the OpenAPI document is made of them. */
import { z } from 'zod';
import { FAILURE_CODES } from '../../../domain/error-codes.js';
import { REMOVALS } from '../../../domain/operation.js';
import { RETENTION_VERDICTS } from '../../../retention/judge-record.js';

const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601, in UTC.' });
const nullableInstant = instant.nullable();
const PROBLEM_CODES = [...FAILURE_CODES, 'unauthorized'] as const;

export const problem = z
  .object({ error: z.object({ code: z.enum(PROBLEM_CODES), message: z.string() }) })
  .meta({ id: 'Problem', description: 'Why the request failed: a stable code for programs and a message for people.' });

const next = z.string().nullable().meta({
  description: 'Send it as `after` (`before` for operations) to get the next page; null: this is the last page.',
});

const hold = z.object({ reason: z.string(), heldBy: z.string(), heldUntil: nullableInstant }).meta({
  id: 'Hold',
  description: 'Excludes a stopped container from retention sweeps, not from requests of an administrator.',
});
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
  dockerHost: z.string().nullable().meta({
    description: 'The name of the engine that owns the container; null: the default engine.',
  }),
};
const removal = z.enum([...REMOVALS, '']).meta({
  description:
    'What a success did: `removed` (the container was deleted), `already_gone` (the engine that owned it no longer ' +
    'has it), `none` (the record named no container). Empty: a failure, a replay, or a result of an older version.',
});
export const record = z
  .object(recordFields)
  .meta({ id: 'Record', description: 'The stored state of the runtime of one game.' });
export const cleanedRecord = z.object({ ...recordFields, removal }).meta({
  id: 'CleanedRecord',
  description: 'The record after the cleanup, and what the cleanup did.',
});
const dueAt = nullableInstant.meta({
  description: 'When the retention sweep will remove the container, judged by the present state; null: never.',
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
  .meta({ id: 'JudgedRecord', description: 'A record, and how the retention sweep judges it.' });
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
    removal,
    engine: z.string().meta({ description: 'The name of the engine that was asked; empty where none was.' }),
    actor: z.string().meta({ description: 'Who asked: an API token, a user or a producer; empty: not known.' }),
  })
  .meta({ id: 'Operation', description: 'One row of the operation log.' });
export const operationPage = z.object({ items: z.array(operation), next }).meta({ id: 'OperationPage' });

const JOB_STATES = ['waiting', 'delayed', 'active', 'completed', 'failed', 'unknown'] as const;
export const accepted = z.object({ jobId: z.string(), state: z.enum(JOB_STATES) }).meta({
  id: 'Accepted',
  description:
    'The queue has stored the request. The job is new, or the one that was waiting, delayed or active already.',
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
      .object({
        outcome: z.string(),
        errorCode: z.string(),
        errorMessage: z.string(),
        record: record.nullable(),
        removal,
      })
      .nullable()
      .meta({ description: 'The result of a completed job; otherwise null.' }),
    failure: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .meta({ description: 'Why the job is a dead letter; otherwise null.' }),
  })
  .meta({ id: 'Cleanup', description: 'A job, its failed attempts, and its result once it has ended.' });

const deadLetterFields = {
  jobId: z.string(),
  gameId: z.string(),
  opSource: z.string(),
  sourceRef: z.string(),
  code: z.enum(FAILURE_CODES),
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
    description: 'A dead letter with its payload, its failed attempts, and those before earlier replays.',
  });
export const replayed = z
  .object({ jobId: z.string(), status: z.enum(['replayed', 'live']), state: z.enum(JOB_STATES) })
  .meta({ id: 'Replayed', description: '`live`: the job was no longer a dead letter.' });
export const replayTally = z.object({ replayed: z.number(), skipped: z.number() }).meta({
  id: 'ReplayTally',
  description: '`skipped`: jobs that were no longer dead letters when the replay reached them.',
});

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
  .meta({ id: 'Judgement', description: 'How the retention sweep judges one record.' });
const summary = z
  .object({
    running: z.number(),
    stopped: z.number(),
    removed: z.number(),
    due: z.number(),
    held: z.number().meta({ description: 'Past their retention, but kept by a hold.' }),
    deadLetters: z.number().meta({ description: 'Past their retention, but their cleanup is a dead letter.' }),
    lagSeconds: z.number().meta({ description: 'How long the oldest due record has been due.' }),
    retentionSeconds: z.number(),
    refusal: z
      .string()
      .nullable()
      .meta({ description: 'Why a sweep would be refused, and which option overrides that; null: it would run.' }),
  })
  .meta({ id: 'RetentionSummary', description: 'Counts of runtime records.' });
export const plan = z
  .object({
    asOf: instant.meta({ description: "The time of the judgement, by the database's clock." }),
    summary: summary.nullable().meta({ description: 'On the first page only, because it counts all records.' }),
    items: z.array(judgement),
    next,
  })
  .meta({ id: 'RetentionPlan' });

const identity = z
  .object({ engineId: z.string(), rootDir: z.string(), storageDriver: z.string() })
  .meta({ id: 'EngineIdentity', description: 'What an engine says of itself and of its storage.' });
const engineFields = {
  name: z.string(),
  identity,
  observed: identity
    .nullable()
    .meta({ description: 'Another identity that answers at the address; its cleanups are held. Otherwise null.' }),
  observedAt: nullableInstant,
  firstSeenAt: instant,
  lastSeenAt: instant,
  acceptedAt: nullableInstant,
  acceptedBy: z.string().nullable(),
  missing: z
    .number()
    .meta({ description: 'Containers that the engine says are gone, without evidence that it ever had them.' }),
  breakerOpen: z.boolean().optional().meta({
    description: 'Whether jobs of this process wait for the engine; left out if this process does not use it.',
  }),
};
export const engineList = z
  .object({ items: z.array(z.object(engineFields).meta({ id: 'Engine' })) })
  .meta({ id: 'EngineList' });
export const acceptance = z
  .object({
    ...engineFields,
    replaced: identity.nullable().meta({ description: 'The identity before; null: it has not changed.' }),
    gone: z.array(z.string()).meta({ description: 'The games whose containers are believed to be gone from now on.' }),
  })
  .meta({ id: 'EngineAcceptance', description: 'The engine after it, and what was accepted.' });

export const readiness = z
  .object({ ready: z.boolean(), checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })) })
  .meta({ id: 'Readiness' });
export const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });
