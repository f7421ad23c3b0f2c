import { resultToJson } from '../../../src/domain/result.js';
import type { JobConsumer, JobOutcome } from '../../../src/jobs/delivery.js';
import type { FakeJob, PlatformState } from './state.js';

/** Runs the jobs that are due, and from then on each job as soon as it is due, until it is stopped. */
export function startFakeWorker(state: PlatformState, consumer: JobConsumer): { readonly stop: () => Promise<void> } {
  const { clock } = state;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    for (let job = nextOf(state); job !== undefined && !stopping.signal.aborted; job = nextOf(state)) {
      const active: FakeJob = {
        ...job,
        state: 'active',
        startedAt: clock.now(),
        nextTryAt: null,
        tries: job.tries + 1,
      };
      state.setJob(active);
      const { jobId, name: jobName, data: payload, tries: run, history } = active;
      const delivery = { jobId, jobName, payload, run, crashes: 0, history };
      const ended = after(active, await consumer.consume(delivery, stopping.signal), clock.now());
      state.setJob(ended);
      if (ended.nextTryAt !== null) clock.after(ended.nextTryAt.getTime() - clock.now().getTime(), wake);
    }
    running = undefined;
  }
  function wake(): void {
    if (nextOf(state) !== undefined && !stopping.signal.aborted) running ??= Promise.resolve().then(work);
  }

  const unsubscribe = state.onJobChange(wake);
  wake();
  return {
    stop: async () => {
      unsubscribe();
      stopping.abort();
      await running;
    },
  };
}

const nextOf = ({ jobs, clock }: PlatformState): FakeJob | undefined =>
  [...jobs.values()].find(
    ({ state, nextTryAt }) =>
      state === 'waiting' || (state === 'delayed' && nextTryAt !== null && nextTryAt <= clock.now()),
  );

function after(job: FakeJob, outcome: JobOutcome | { readonly action: 'hand_back' }, now: Date): FakeJob {
  const { jobId } = job;
  switch (outcome.action) {
    case 'hand_back':
      return { ...job, state: 'waiting' };
    case 'complete': {
      const ending = { jobId, state: 'completed', result: resultToJson(outcome.result) } as const;
      return { ...job, state: 'completed', finishedAt: now, ending };
    }
    case 'hold':
      return { ...job, state: 'delayed', nextTryAt: new Date(now.getTime() + outcome.delayMs) };
    case 'retry': {
      const nextTryAt = new Date(now.getTime() + outcome.delayMs);
      return { ...job, state: 'delayed', nextTryAt, history: outcome.history };
    }
    case 'dead_letter': {
      const ending = { jobId, state: 'failed', reason: outcome.reason } as const;
      return { ...job, state: 'failed', finishedAt: now, history: outcome.history, ending };
    }
  }
}
