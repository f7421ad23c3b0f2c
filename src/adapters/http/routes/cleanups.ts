import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { EnqueuedJob, JobResult, JobState } from '../../../jobs/ports.js';
import { API, type App } from '../app.js';
import { watchCaller } from '../request/client-disconnect.js';
import { cleanupBody, recordOf } from '../response/serialize-cleanup.js';
import type { HttpParts } from '../http-ports.js';
import { preferredWaitS } from '../request/prefer-header.js';
import { refused } from '../response/problem.js';
import { NOT_FOUND, REFUSALS } from '../response/error-responses.js';
import { accepted, cleanup, gameId, jobId, problem, record } from '../schemas.js';
import { createSoon } from '../request-timeouts.js';
import { BugError } from '../../../domain/errors.js';

const headers = z.object({
  'x-galaxy-caller': z.string().optional().meta({ description: '`gm` or `admin`; anything else counts as `admin`.' }),
  'x-request-id': z.string().optional().meta({
    description: "Becomes the operation's `sourceRef`; one is made when it is missing. Echoed in the answer.",
  }),
  prefer: z
    .string()
    .optional()
    .meta({ description: '`wait=SECONDS` (RFC 7240): wait for the end, a minute at most.', examples: ['wait=10'] }),
});

export function cleanupRoutes(app: App, parts: HttpParts, closing: AbortSignal): void {
  const { queue, endings, jobs, clock } = parts;
  const soon = createSoon(clock);

  app.delete(
    `${API}/runtimes/:game_id/container`,
    {
      schema: {
        operationId: 'cleanUpContainer',
        tags: ['cleanups'],
        summary: "Ask for a game's container to be removed",
        description:
          'Answered 202 once the queue has stored it; a cleanup of the game that is live already is the answer to a second request too. With `Prefer: wait` the answer is the end: 200 with the record, or the problem it ended with; 202 if the time is over before.',
        params: z.object({ game_id: gameId }),
        querystring: z.strictObject({}),
        headers,
        response: {
          200: record.describe('Waited for: the container is gone, and this is the record.'),
          202: accepted.describe('Stored. `Location` is where to ask how it goes.'),
          ...NOT_FOUND,
          409: problem.describe('Waited for: it ended in a conflict, a mismatch, or lost its lease.'),
          ...REFUSALS,
        },
      },
    },
    async (request, reply) => {
      const [job] = await soon(queue.enqueue([requestOf(request, request.params.game_id)]));
      if (job === undefined) throw new BugError('the queue answered for no job');
      // Also with what it ended in: the job is where its story is told.
      void reply.header('location', `${API}/cleanups/${encodeURIComponent(job.jobId.toWellFormed())}`);
      const waitS = preferredWaitS(request.headers.prefer);
      if (waitS === undefined) return reply.status(202).send({ jobId: job.jobId, state: job.state });
      void reply.header('preference-applied', `wait=${waitS}`);
      const ending = await endOf(job, waitS, reply);
      if (ending !== undefined && ending.state !== 'missing') return reply.status(200).send(recordOf(ending));
      return reply.status(202).send({ jobId: job.jobId, state: await stateOf(job) });
    },
  );

  /** Undefined: the time was over, the caller had gone, or the server was about to close. */
  async function endOf({ jobId }: EnqueuedJob, waitS: number, reply: FastifyReply): Promise<JobResult | undefined> {
    const over = new AbortController();
    const cancel = clock.after(waitS * 1_000, () => over.abort());
    const caller = watchCaller(reply.raw, closing);
    const signal = AbortSignal.any([over.signal, caller.signal]);
    let ended: JobResult | undefined;
    try {
      await endings.wait([jobId], (ending) => void (ended = ending), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      cancel();
      caller.forget();
    }
    return ended;
  }

  /** What has become of it meanwhile; that it was stored is known, so nothing that goes wrong here is the caller's. */
  async function stateOf(job: EnqueuedJob): Promise<JobState> {
    try {
      return (await soon(jobs.find(job.jobId)))?.state ?? 'unknown';
    } catch {
      return job.state;
    }
  }

  app.get(
    `${API}/cleanups/:job_id`,
    {
      schema: {
        operationId: 'getCleanup',
        tags: ['cleanups'],
        summary: 'How a cleanup goes, or went',
        description: 'Completed jobs are kept for a day; the operation log keeps what was done for good.',
        params: z.object({ job_id: jobId }),
        querystring: z.strictObject({}),
        response: { 200: cleanup.describe('The job.'), ...NOT_FOUND, ...REFUSALS },
      },
    },
    async ({ params }) => {
      const found = await soon(jobs.find(params.job_id));
      if (found === undefined) throw refused('not_found', `there is no job ${JSON.stringify(params.job_id)}`);
      return cleanupBody(found);
    },
  );
}

function requestOf({ id, headers }: FastifyRequest, gameId: string) {
  const caller = String(headers['x-galaxy-caller'] ?? '');
  const opSource = caller.trim().toLowerCase() === 'gm' ? 'gm_rest' : 'admin_rest';
  return { gameId, opSource, sourceRef: id };
}
