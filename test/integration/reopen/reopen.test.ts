/** A container that was recorded as already gone, and exists: put back and cleaned up, on real stores and a real engine. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { composeCore, type Core } from '../../../src/app/compose-core.js';
import { startService } from '../../../src/app/start-service.js';
import { systemClock } from '../../../src/async/clock.js';
import { readConfig } from '../../../src/config/config.js';
import type { JobResult } from '../../../src/jobs/ports.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createTelemetry } from '../../../src/telemetry/metrics.js';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';
import { aContainerId, createVerifyWorld, unsound, type VerifyWorld } from '../audit/verify-world.js';

const signal = new AbortController().signal;

describe.each(['redis', 'postgres'] as const)('reopening, with queue and leases on %s', (store) => {
  let world: VerifyWorld;
  let containers: TestContainers;
  let core: Core;

  const context = () => ({
    config: readConfig(world.environment),
    log: createLogger({ name: 'reopen-test', level: 'silent' }),
    clock: systemClock,
    patienceMs: 5_000,
    signal,
  });
  const sql = async (text: string, ...values: readonly unknown[]) =>
    (await world.database.pool.query<Record<string, unknown>>(text, [...values])).rows;
  const reopen = (gameId: string) =>
    core.reopen({ gameId, opSource: 'operator_cli', sourceRef: '', actor: 'kim' }, signal);

  /** As a cleanup leaves it that was told the container is gone. */
  async function recordedAsGone(gameId: string, containerId: string, removal = 'already_gone'): Promise<void> {
    await world.stopped(gameId, containerId);
    await sql(
      `WITH removed AS (
         UPDATE runtime_records SET status = 'removed', current_container_id = NULL, removed_at = now(),
                last_op_at = now(), lease_epoch = 1, docker_host = 'gone-since'
         WHERE game_id = $1 RETURNING game_id
       )
       INSERT INTO operation_log (game_id, op_kind, op_source, container_id, outcome, removal, engine, job_id, started_at, finished_at)
       SELECT game_id, 'cleanup_container', 'admin_rest', $2, 'success', $3, 'default', '1', now(), now() FROM removed`,
      gameId,
      containerId,
      removal,
    );
  }

  async function cleanUp(gameId: string): Promise<JobResult | undefined> {
    const service = await startService(context(), {
      role: 'worker',
      telemetry: createTelemetry(systemClock),
      facts: { version: '0', metricsText: undefined },
    });
    try {
      const [job] = await core.queues.producer.enqueue([{ gameId, opSource: 'admin_rest' }]);
      let ended: JobResult | undefined;
      await core.queues.endings.wait(
        [job?.jobId ?? ''],
        (result) => void (ended = result),
        AbortSignal.timeout(30_000),
      );
      return ended;
    } finally {
      await service.stop();
    }
  }

  beforeAll(async () => {
    world = await createVerifyWorld(store);
    containers = await createTestContainers(inject('engineSocket'));
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    core = composeCore(context());
    await core.connectDatabase();
    await core.connectQueueStore();
  });
  afterEach(async () => {
    await core.close();
    await containers.clear();
    await world.clear();
  });

  it('a reopened record is stopped and names its container, which the next cleanup removes', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'left' });
    await recordedAsGone('left', containerId);
    const [before] = await sql('SELECT stopped_at FROM runtime_records');
    const dead = await world.failed('left', 'conflict: it runs');
    expect((await core.retention.judge(['left'])).get('left')?.deadLetter?.jobId).toBe(dead);

    expect(await reopen('left')).toMatchObject({
      outcome: 'success',
      errorMessage: '1 dead letters of the game were purged',
      record: { status: 'stopped', currentContainerId: containerId, removedAt: null, dockerHost: null, leaseEpoch: 2n },
    });
    expect(await sql('SELECT stopped_at FROM runtime_records')).toEqual([before]);
    expect((await core.retention.judge(['left'])).get('left')).toMatchObject({ verdict: 'due', deadLetter: null });
    expect(
      await sql(
        `SELECT op_kind, op_source, outcome, container_id, engine, actor FROM operation_log ORDER BY id DESC LIMIT 1`,
      ),
    ).toEqual([
      {
        op_kind: 'reopen_record',
        op_source: 'operator_cli',
        outcome: 'success',
        container_id: containerId,
        engine: 'default',
        actor: 'kim',
      },
    ]);
    expect(unsound(await world.verify())).toEqual({});
    expect((await world.verify()).row_has_removal.warnings).toBe(0);

    // The game is due, so the first sweep of the worker may ask for it before this request does; one of the two removes it.
    expect(await cleanUp('left')).toMatchObject({ state: 'completed', result: { outcome: 'success' } });
    expect(await sql(`SELECT container_id FROM operation_log WHERE removal = 'removed'`)).toEqual([
      { container_id: containerId },
    ]);
    expect(await containers.stateOf(containerId)).toBe('missing');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    expect(reports.row_has_removal.warnings).toBe(0);
  });

  it('a repeated reopening is a conflict, and leaves a row', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'left' });
    await recordedAsGone('left', containerId);
    await reopen('left');
    expect(await reopen('left')).toMatchObject({ outcome: 'failure', errorCode: 'conflict' });
    expect(
      await sql(`SELECT outcome, error_code FROM operation_log WHERE op_kind = 'reopen_record' ORDER BY id`),
    ).toEqual([
      { outcome: 'success', error_code: '' },
      { outcome: 'failure', error_code: 'conflict' },
    ]);
  });

  it('two reopenings at the same time put the record back once', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'left' });
    await recordedAsGone('left', containerId);
    const codes = (await Promise.all([reopen('left'), reopen('left')])).map(({ errorCode }) => errorCode);
    expect(codes.toSorted()).toEqual(['', 'conflict']);
  });

  it('no record is reopened whose container is gone, runs, has no label or was removed by a cleanup', async () => {
    await recordedAsGone('gone', aContainerId());
    await recordedAsGone('runs', await containers.make('running', { gameLabel: 'runs' }));
    await recordedAsGone('unlabelled', await containers.make('exited', { gameLabel: null }));
    await recordedAsGone('removed', await containers.make('exited', { gameLabel: 'removed' }), 'removed');
    const codes: Record<string, string> = {};
    for (const gameId of ['gone', 'runs', 'unlabelled', 'removed', 'unknown']) {
      codes[gameId] = (await reopen(gameId)).errorCode;
    }
    expect(codes).toEqual({
      gone: 'not_found',
      runs: 'conflict',
      unlabelled: 'container_mismatch',
      removed: 'conflict',
      unknown: 'not_found',
    });
    expect(await sql(`SELECT DISTINCT status FROM runtime_records`)).toEqual([{ status: 'removed' }]);
  });

  it('no record is reopened while another engine answers at the address', async () => {
    await recordedAsGone('left', await containers.make('exited', { gameLabel: 'left' }));
    await sql(`INSERT INTO engines (name, engine_id, root_dir, storage_driver, first_seen_at, last_seen_at, evidence_since)
               VALUES ('default', 'another', '/elsewhere', 'vfs', now(), now(), now())`);
    expect(await reopen('left')).toMatchObject({ errorCode: 'engine_mismatch' });
    expect(await sql(`SELECT status FROM runtime_records`)).toEqual([{ status: 'removed' }]);
  });
});
