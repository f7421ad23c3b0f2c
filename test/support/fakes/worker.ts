import { resultToJson } from '../../../src/domain/result.js';
import type { JobConsumer, JobOutcome } from '../../../src/jobs/delivery.js';
import type { FakeJob, PlatformState } from './state.js';

/** Runs the waiting jobs, and from then on each job as soon as it waits, until it is stopped. */
export function startFakeWorker(state: PlatformState, consumer: JobConsumer): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    for (let job = nextOf(state); job !== undefined && !stopping.signal.aborted; job = nextOf(state)) {
      const active: FakeJob = { ...job, state: 'active', startedAt: state.now(), tries: job.tries + 1 };
      state.setJob(active);
      const { jobId, name: jobName, data: payload, tries: run, history } = active;
      const outcome = await consumer.consume({ jobId, jobName, payload, run, crashes: 0, history }, stopping.signal);
      state.setJob(after(active, outcome, state.now()));
    }
    running = undefined;
  };
  const wake = (): void => {
    if (nextOf(state) !== undefined && !stopping.signal.aborted) running ??= Promise.resolve().then(work);
  };
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

const nextOf = ({ jobs }: PlatformState): FakeJob | undefined =>
  [...jobs.values()].find(({ state }) => state === 'waiting');

function after(job: FakeJob, outcome: Awaited<ReturnType<JobConsumer['consume']>>, now: Date): FakeJob {
  return outcome.action === 'hand_back' ? { ...job, state: 'waiting' } : ended(job, outcome, now);
}

function ended(job: FakeJob, outcome: JobOutcome, now: Date): FakeJob {
  const { jobId } = job;
  switch (outcome.action) {
    case 'complete': {
      const ending = { jobId, state: 'completed', result: resultToJson(outcome.result) } as const;
      return { ...job, state: 'completed', finishedAt: now, ending };
    }
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
