import type { FastifyReply } from 'fastify';
import { BugError } from '../../../domain/errors.js';
import type { CleanupQueue, EnqueuedJob, JobLookup, JobResult, JobState, JobWaiter } from '../../../jobs/ports.js';
import type { Clock } from '../../../async/clock.js';
import { API, type App } from '../app.js';
import { watchCaller } from '../request/connections.js';
import { opSourceOf, preferredWaitS } from '../request/headers.js';
import { cleanupHeaders, noQuery, ofGame, ofJob } from '../request/parameters.js';
import { createWithinSecond } from '../request-timeouts.js';
import { NOT_FOUND, refused, REFUSALS } from '../response/problem.js';
import { accepted, cleanedRecord, cleanup, problem } from '../response/schemas.js';
import { cleanupBody, recordOf } from '../response/serialize.js';

export interface CleanupPorts {
  readonly queue: Pick<CleanupQueue, 'enqueue'>;
  readonly jobWaiter: Pick<JobWaiter, 'wait'>;
  readonly jobs: Pick<JobLookup, 'find'>;
  readonly clock: Clock;
}

const CLEAN_UP_CONTAINER = {
  operationId: 'cleanUpContainer',
  tags: ['cleanups'],
  summary: "Request the removal of a game's container",
  description:
    'Answered with 202 once the queue has stored the request. While a cleanup of the game is waiting, delayed or active, a further request returns that cleanup. With `Prefer: wait` the answer is the result: 200 with the record, or the problem that the cleanup ended with; 202 when it has not ended in that time.',
  params: ofGame,
  querystring: noQuery,
  headers: cleanupHeaders,
  response: {
    200: cleanedRecord.describe('After a wait: the container is removed, and this is the record.'),
    202: accepted.describe('Stored. `Location` is the path of the cleanup.'),
    ...NOT_FOUND,
    409: problem.describe('After a wait: the cleanup ended with a conflict, a mismatch or a lost lease.'),
    ...REFUSALS,
  },
};

const GET_CLEANUP = {
  operationId: 'getCleanup',
  tags: ['cleanups'],
  summary: 'The state of a cleanup, and its result once it has ended',
  description: 'Completed jobs are kept for a day; the operation log keeps the operations permanently.',
  params: ofJob,
  querystring: noQuery,
  response: { 200: cleanup.describe('The job.'), ...NOT_FOUND, ...REFUSALS },
};

export function cleanupRoutes(app: App, ports: CleanupPorts, closing: AbortSignal): void {
  const { queue, jobs, clock } = ports;
  const withinSecond = createWithinSecond(clock);

  /** The newest state. The job is known to be stored, so an error here must not fail the request. */
  async function stateOf(job: EnqueuedJob): Promise<JobState> {
    try {
      return (await withinSecond(jobs.find(job.jobId)))?.state ?? 'unknown';
    } catch {
      return job.state;
    }
  }

  app.delete(`${API}/runtimes/:game_id/container`, { schema: CLEAN_UP_CONTAINER }, async (request, reply) => {
    const { id, params, headers } = request;
    const asked = { gameId: params.game_id, opSource: opSourceOf(headers), sourceRef: id };
    const [job] = await withinSecond(queue.enqueue([asked]));
    if (job === undefined) throw new BugError('the queue answered for no job');
    // Sent with an error too: the job has the details.
    void reply.header('location', `${API}/cleanups/${encodeURIComponent(job.jobId.toWellFormed())}`);
    const waitS = preferredWaitS(headers.prefer);
    if (waitS === undefined) return reply.status(202).send({ jobId: job.jobId, state: job.state });
    void reply.header('preference-applied', `wait=${waitS}`);
    const result = await waitForResult(ports, job, { waitS, reply, closing });
    if (result !== undefined && result.state !== 'missing') return reply.status(200).send(recordOf(result));
    return reply.status(202).send({ jobId: job.jobId, state: await stateOf(job) });
  });

  app.get(`${API}/cleanups/:job_id`, { schema: GET_CLEANUP }, async ({ params }) => {
    const found = await withinSecond(jobs.find(params.job_id));
    if (found === undefined) throw refused('not_found', `there is no job ${JSON.stringify(params.job_id)}`);
    return cleanupBody(found);
  });
}

interface WaitLimits {
  readonly waitS: number;
  readonly reply: FastifyReply;
  readonly closing: AbortSignal;
}

/** Undefined when the job did not end in time, the caller disconnected or the server is about to stop. */
async function waitForResult(
  { jobWaiter, clock }: Pick<CleanupPorts, 'jobWaiter' | 'clock'>,
  { jobId }: EnqueuedJob,
  { waitS, reply, closing }: WaitLimits,
): Promise<JobResult | undefined> {
  const timeIsOver = new AbortController();
  const cancel = clock.after(waitS * 1_000, () => timeIsOver.abort());
  const caller = watchCaller(reply.raw, closing);
  const signal = AbortSignal.any([timeIsOver.signal, caller.signal]);
  let result: JobResult | undefined;
  try {
    await jobWaiter.wait([jobId], (ended) => void (result = ended), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    cancel();
    caller.forget();
  }
  return result;
}
