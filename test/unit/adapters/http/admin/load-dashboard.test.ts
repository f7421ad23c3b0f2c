import { expect, it } from 'vitest';
import {
  type DashboardPorts,
  loadDashboard,
  type Part,
} from '../../../../../src/adapters/http/admin/load-dashboard.js';
import { createWithinSecond } from '../../../../../src/adapters/http/request-timeouts.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import { createManualClock } from '../../../../support/manual-clock.js';
import { aDashboard, aDeadLetter, anOperation } from './dashboard-fixture.js';

const valueOf = <T>(part: Part<T>): T => {
  if ('unavailable' in part) throw new Error(part.unavailable);
  return part.value;
};

function somePorts() {
  const clock = createManualClock();
  const { summary, schedule, jobs, engines, checks } = aDashboard();
  const ports: DashboardPorts = {
    clock,
    records: {
      listOperations: async ({ limit }) => ({ items: Array.from({ length: limit }, () => anOperation()), next: '1' }),
    },
    retention: { summary: async () => valueOf(summary) },
    schedule: { status: async () => valueOf(schedule) },
    countJobs: async () => valueOf(jobs),
    engines: { list: async () => valueOf(engines) },
    deadLetters: {
      list: async ({ limit }) => ({ items: Array.from({ length: limit }, () => aDeadLetter()), next: 'x' }),
      countByCode: async () => ({ conflict: 3 }),
    },
    checkReadiness: async () => checks,
  };
  return { clock, ports, load: () => loadDashboard(ports, createWithinSecond(clock)) };
}

it('the dashboard reads every part, and only the newest entries of the lists', async () => {
  const { load } = somePorts();
  const dashboard = await load();
  expect(valueOf(dashboard.operations)).toHaveLength(20);
  expect(valueOf(dashboard.deadLetters)).toHaveLength(10);
  expect(dashboard).toMatchObject({ codes: { value: { conflict: 3 } }, jobs: { value: { active: 4 } } });
});

it('the dashboard reports why a part cannot be read, and reads the others', async () => {
  const { ports, clock, load } = somePorts();
  const fail = async (): Promise<never> => Promise.reject(new UnavailableError('queue', 'Redis is unavailable'));
  const hang = (): Promise<never> => new Promise(() => undefined);
  const loading = loadDashboard(
    {
      ...ports,
      countJobs: fail,
      deadLetters: { ...ports.deadLetters, countByCode: fail },
      schedule: { status: hang },
    },
    createWithinSecond(clock),
  );
  let isLoaded = false;
  void loading.then(() => (isLoaded = true));
  await clock.advance(899);
  expect(isLoaded).toBe(false);
  await clock.advance(1);
  const dashboard = await loading;
  expect(dashboard.jobs).toEqual({ unavailable: 'Redis is unavailable' });
  expect(dashboard.codes).toEqual({ unavailable: 'Redis is unavailable' });
  expect(dashboard.schedule).toEqual({ unavailable: expect.stringContaining('900 ms') });
  expect(dashboard.summary).toEqual((await load()).summary);
});
