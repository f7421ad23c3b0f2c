import type { Clock } from '../../../async/clock.js';
import { messageOf } from '../../../domain/errors.js';
import type { EngineRecord, EngineRegistry } from '../../../engines/engine-ports.js';
import type { DeadLetter, DeadLetters } from '../../../jobs/dead-letters.js';
import type { ScheduleStatus, SweepSchedule } from '../../../retention/ports.js';
import type { Retention, RetentionSummary } from '../../../retention/retention-service.js';
import type { QueueCounts, ReadinessCheck } from '../http-ports.js';
import type { AnswerLimit } from '../request-timeouts.js';
import type { LoggedOperation, RecordQueries } from '../../../domain/record-queries.js';

/** One part of the page: its value, or why it could not be read. A part that fails does not affect the others. */
export type Part<T> = { readonly value: T } | { readonly unavailable: string };

export interface Dashboard {
  readonly madeAt: Date;
  readonly checks: readonly ReadinessCheck[];
  readonly summary: Part<RetentionSummary>;
  readonly schedule: Part<ScheduleStatus>;
  readonly jobs: Part<QueueCounts>;
  readonly engines: Part<readonly EngineRecord[]>;
  readonly codes: Part<Readonly<Record<string, number>>>;
  readonly deadLetters: Part<readonly DeadLetter[]>;
  readonly operations: Part<readonly LoggedOperation[]>;
}

/** What the page reads of the stores. */
interface StorePorts {
  readonly records: Pick<RecordQueries, 'listOperations'>;
  readonly engines: Pick<EngineRegistry, 'list'>;
  readonly retention: Pick<Retention, 'summary'>;
  readonly deadLetters: Pick<DeadLetters, 'countByCode' | 'list'>;
  readonly schedule: SweepSchedule;
  /** The jobs of the work queue by state. */
  readonly countJobs: () => Promise<QueueCounts>;
}

export interface DashboardPorts extends StorePorts {
  readonly checkReadiness: () => Promise<readonly ReadinessCheck[]>;
  readonly clock: Clock;
}

const DEAD_LETTERS = 10;
const OPERATIONS = 20;

/** Reads all parts at the same time. */
export async function loadDashboard(ports: DashboardPorts, limit: AnswerLimit): Promise<Dashboard> {
  const read = <T>(answer: Promise<T>): Promise<Part<T>> =>
    limit(answer).then(
      (value) => ({ value }),
      (error: unknown) => ({ unavailable: messageOf(error) }),
    );
  const [checks, summary, schedule, jobs, engines, codes, deadLetters, operations] = await Promise.all([
    ports.checkReadiness(),
    read(ports.retention.summary()),
    read(ports.schedule.status()),
    read(ports.countJobs()),
    read(ports.engines.list()),
    read(ports.deadLetters.countByCode()),
    read(ports.deadLetters.list({ limit: DEAD_LETTERS }).then(({ items }) => items)),
    read(ports.records.listOperations({ limit: OPERATIONS }).then(({ items }) => items)),
  ]);
  return { madeAt: ports.clock.now(), checks, summary, schedule, jobs, engines, codes, deadLetters, operations };
}
