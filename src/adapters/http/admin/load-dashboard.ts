import { messageOf } from '../../../domain/errors.js';
import type { LoggedOperation } from '../../../domain/record-queries.js';
import type { DeadLetter } from '../../../jobs/dead-letters.js';
import type { ScheduleStatus } from '../../../retention/ports.js';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import type { HttpParts, QueueCounts, ReadinessCheck } from '../http-ports.js';
import type { Soon } from '../request-timeouts.js';

/** One part of the page; what could not be read says why, and the rest of the page stands. */
export type Read<T> = { readonly value: T } | { readonly missing: string };

export interface AdminFacts {
  readonly madeAt: Date;
  readonly checks: readonly ReadinessCheck[];
  readonly summary: Read<RetentionSummary>;
  readonly schedule: Read<ScheduleStatus>;
  readonly jobs: Read<QueueCounts>;
  readonly codes: Read<Readonly<Record<string, number>>>;
  readonly letters: Read<readonly DeadLetter[]>;
  readonly operations: Read<readonly LoggedOperation[]>;
}

export type AdminParts = Pick<
  HttpParts,
  'records' | 'retention' | 'schedule' | 'countJobs' | 'deadLetters' | 'checkReadiness' | 'clock'
>;

const LETTERS = 10;
const OPERATIONS = 20;

/** Asks for everything at once. */
export async function readFacts(parts: AdminParts, soon: Soon): Promise<AdminFacts> {
  const read = <T>(asked: Promise<T>): Promise<Read<T>> =>
    soon(asked).then(
      (value) => ({ value }),
      (error: unknown) => ({ missing: messageOf(error) }),
    );
  const [checks, summary, schedule, jobs, codes, letters, operations] = await Promise.all([
    parts.checkReadiness(),
    read(parts.retention.summary()),
    read(parts.schedule.status()),
    read(parts.countJobs()),
    read(parts.deadLetters.countByCode()),
    read(parts.deadLetters.list({ limit: LETTERS }).then(({ items }) => items)),
    read(parts.records.listOperations({ limit: OPERATIONS }).then(({ items }) => items)),
  ]);
  return { madeAt: parts.clock.now(), checks, summary, schedule, jobs, codes, letters, operations };
}
