/** Each invariant is broken by hand, on real stores and a real engine, and just that one is reported. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';
import { aContainerId, createVerifyWorld, failureOf, unsound, type VerifyWorld } from './verify-world.js';

const REMOVED_BY_HAND = `
  UPDATE runtime_records SET status = 'removed', current_container_id = NULL, removed_at = now(), last_op_at = now(),
         lease_epoch = lease_epoch + 1 WHERE game_id = $1`;

describe.each(['redis', 'postgres'] as const)('verify, with queue and leases on %s', (store) => {
  let world: VerifyWorld;
  let containers: TestContainers;

  beforeAll(async () => {
    world = await createVerifyWorld(store);
    containers = await createTestContainers(inject('engineSocket'));
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.removed('removed-1');
    await world.removed('removed-2');
    await world.stopped('stopped-1', aContainerId());
    const jobId = await world.failed('dead-1', 'not_found: there is no runtime record of this game');
    await world.logged(failureOf('dead-1', jobId, 'not_found'));
    await world.queue.add('cleanup_container', { gameId: 'waiting', opSource: 'admin_rest' });
  });
  afterEach(async () => {
    await containers.clear();
    await world.clear();
  });

  const sql = (text: string, ...values: readonly unknown[]) => world.database.pool.query(text, [...values]);

  it('an audit of a sound world finds nothing, and reports how much it checked', async () => {
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    expect(Object.values(reports).map(({ name, checked, warnings }) => [name, checked, warnings])).toEqual([
      ['removed_has_row', 2, 0],
      ['row_has_removal', 2, 0],
      ['removed_is_gone', 2, 0],
      ['container_has_record', 0, 0],
      ['engine_is_same', 1, 0],
      ['lease_has_end', 0, 0],
      ['active_has_worker', 0, 0],
      ['dead_letter_has_reason', 1, 0],
    ]);
  });

  it('an audit finds a removal without its row', async () => {
    await sql(REMOVED_BY_HAND, 'stopped-1');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ removed_has_row: 'broken' });
    expect(reports.removed_has_row.findings).toMatchObject([{ gameId: 'stopped-1', severity: 'broken' }]);
  });

  it('an audit finds a row that was written after its removal', async () => {
    await sql(REMOVED_BY_HAND, 'stopped-1');
    await world.logged({ gameId: 'stopped-1', containerId: aContainerId() });
    expect(unsound(await world.verify())).toEqual({ removed_has_row: 'broken', row_has_removal: 'broken' });
  });

  it('an audit warns of a removal by another service', async () => {
    await sql(`UPDATE runtime_records SET status = 'removed', removed_at = now() WHERE game_id = 'stopped-1'`);
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    expect(reports.removed_has_row.findings).toMatchObject([{ gameId: 'stopped-1', severity: 'warning' }]);
  });

  it('an audit finds nothing wrong with a game that was started and removed again', async () => {
    await sql(
      `UPDATE runtime_records SET status = 'stopped', current_container_id = $1, last_op_at = now() WHERE game_id = 'removed-1'`,
      aContainerId(),
    );
    expect(unsound(await world.verify())).toEqual({});
    await world.removed('removed-1');
    expect(unsound(await world.verify())).toEqual({});
  });

  it('an audit does not judge removals that are older than a pruned log', async () => {
    await sql(`BEGIN; SET LOCAL rtmanager.prune_operation_log = 'on'; DELETE FROM operation_log; COMMIT`);
    await world.removed('removed-3');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    expect(reports.removed_has_row).toMatchObject({ checked: 1, notes: [expect.stringMatching(/^2 were removed/)] });
  });

  it('an audit finds a success row whose record is still stopped', async () => {
    const containerId = aContainerId();
    await world.stopped('half', containerId);
    await world.logged({ gameId: 'half', containerId, jobId: '77' });
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ row_has_removal: 'broken' });
    expect(reports.row_has_removal.findings).toMatchObject([{ gameId: 'half', jobId: '77', containerId }]);
  });

  it('an audit finds a second success row for one removal', async () => {
    await world.logged({ gameId: 'removed-1', containerId: aContainerId() });
    expect(unsound(await world.verify())).toEqual({ row_has_removal: 'broken' });
  });

  it('an audit finds a container that is left behind', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'left' });
    await world.removed('left', containerId);
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ removed_is_gone: 'broken' });
    expect(reports.removed_is_gone).toMatchObject({ checked: 3, findings: [{ gameId: 'left', containerId }] });
  });

  it('an audit looks at a container on the engine that its row names, not on that of the record', async () => {
    await world.removed('elsewhere');
    await sql(`UPDATE runtime_records SET docker_host = 'blue' WHERE game_id = 'elsewhere'`);
    expect(unsound(await world.verify())).toEqual({});
    await sql(`UPDATE runtime_records SET current_container_id = $1 WHERE game_id = 'elsewhere'`, aContainerId());
    const { removed_is_gone: report } = await world.verify();
    expect(report).toMatchObject({ status: 'unknown', warnings: 1, checked: 3 });
    expect(report.findings[0]?.what).toContain('the engine "blue", which has no address here');
  });

  it('an audit advises to reopen a record whose container was recorded as already gone and exists', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'left' });
    await world.stopped('left', containerId);
    await sql(REMOVED_BY_HAND, 'left');
    await sql(
      `INSERT INTO operation_log (game_id, op_kind, op_source, container_id, outcome, removal, engine, started_at, finished_at)
       SELECT game_id, 'cleanup_container', 'auto_ttl', $1, 'success', 'already_gone', 'default', removed_at, removed_at
       FROM runtime_records WHERE game_id = 'left'`,
      containerId,
    );
    const { removed_is_gone: report } = await world.verify();
    expect(report).toMatchObject({ status: 'broken', findings: [{ gameId: 'left', containerId }] });
    expect(report.findings[0]?.advice).toContain('records reopen <game-id>');
  });

  it('an audit warns of a container with the label of this service that no live record names', async () => {
    const owned = (gameId: string) => ({
      gameLabel: gameId,
      create: { Labels: { 'com.galaxy.owner': 'rtmanager', 'com.galaxy.game_id': gameId } },
    });
    const named = await containers.make('exited', owned('stopped-1'));
    await sql(`UPDATE runtime_records SET current_container_id = $1 WHERE game_id = 'stopped-1'`, named);
    const orphans = [await containers.make('exited', owned('no-id')), await containers.make('created', owned('no-id'))];
    const elsewhere = await containers.make('exited', owned('elsewhere'));
    await world.stopped('no-id', '');
    await world.stopped('elsewhere', elsewhere);
    await sql(`UPDATE runtime_records SET docker_host = 'blue' WHERE game_id = 'elsewhere'`);
    await containers.make('exited', { gameLabel: 'not-ours' });

    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    const { container_has_record: report } = reports;
    expect(report).toMatchObject({ checked: 4, warnings: 2 });
    const byGame = new Map(report.findings.map((finding) => [finding.gameId, finding.what]));
    for (const id of orphans) expect(byGame.get('no-id')).toContain(id);
    expect(byGame.get('no-id')).toContain('"stopped" and names no container');
    expect(byGame.get('elsewhere')).toContain(elsewhere);
    expect((await world.verify({ gameId: 'no-id' })).container_has_record).toMatchObject({ checked: 2, warnings: 1 });
  });

  it('an audit finds an engine with another identity than the stored one, and does not believe that its containers are gone', async () => {
    await sql(`INSERT INTO engines (name, engine_id, root_dir, storage_driver, first_seen_at, last_seen_at, evidence_since)
               VALUES ('default', 'another', '/elsewhere', 'vfs', now(), now(), now())`);
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({
      removed_is_gone: 'unknown',
      container_has_record: 'unknown',
      engine_is_same: 'broken',
    });
    expect(reports.engine_is_same.findings[0]?.what).toContain('root /elsewhere');
    expect(reports.engine_is_same.findings[0]?.advice).toContain('runtime-cleanup engines accept default');
  });

  it('an audit finds an active job whose lock no worker holds', async () => {
    const jobId = await world.activeWithoutWorker('orphan');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ active_has_worker: 'broken' });
    expect(reports.active_has_worker).toMatchObject({ checked: 1, findings: [{ jobId, gameId: 'orphan' }] });
  });

  it('an audit finds a dead letter whose reason has no code of the catalogue', async () => {
    const jobId = await world.failed('odd', 'job stalled more than allowable limit');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ dead_letter_has_reason: 'broken' });
    expect(reports.dead_letter_has_reason).toMatchObject({ checked: 2, findings: [{ jobId, gameId: 'odd' }] });
  });

  it('an audit warns of a dead letter without a row', async () => {
    const jobId = await world.failed('unlogged', 'conflict: it runs');
    await world.logged(failureOf('another-game', jobId));
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({});
    expect(reports.dead_letter_has_reason.findings).toMatchObject([{ jobId, gameId: 'unlogged', severity: 'warning' }]);
  });

  it('an audit of one game checks only that game', async () => {
    await sql(REMOVED_BY_HAND, 'stopped-1');
    expect(unsound(await world.verify({ gameId: 'removed-1' }))).toEqual({});
    const reports = await world.verify({ gameId: 'stopped-1' });
    expect(unsound(reports)).toEqual({ removed_has_row: 'broken' });
    expect(reports.removed_has_row.checked).toBe(1);
  });

  it('an audit finds leases that never end or last for more than an hour, and accepts leases of an hour', async () => {
    const { redis } = world;
    const hold = async (gameId: string, seconds: number | 'for ever') => {
      const key = `rtmanager:game_lease:${Buffer.from(gameId).toString('base64url')}`;
      if (redis !== undefined) {
        await (seconds === 'for ever' ? redis.client.set(key, 't') : redis.client.set(key, 't', 'EX', seconds));
        return;
      }
      const end = seconds === 'for ever' ? `'infinity'` : `now() + ${seconds} * interval '1 second'`;
      await sql(`INSERT INTO game_leases (game_id, token, expires_at, fence) VALUES ($1, 't', ${end}, 1)`, gameId);
    };
    await hold('short', 60);
    await hold('hour', 3_600);
    expect(unsound(await world.verify())).toEqual({});
    await hold('Zürich 🎲', 3_700);
    await hold('ever', 'for ever');
    const reports = await world.verify();
    expect(unsound(reports)).toEqual({ lease_has_end: 'broken' });
    expect(reports.lease_has_end).toMatchObject({ checked: 4, broken: 2 });
    expect(new Set(reports.lease_has_end.findings.map(({ gameId }) => gameId))).toEqual(new Set(['Zürich 🎲', 'ever']));
  });

  it('an audit works for a read-only user, so it writes nothing', async () => {
    const reader = `reader_${randomUUID().replaceAll('-', '')}`;
    await sql(`CREATE ROLE ${reader} LOGIN PASSWORD 'x'`);
    await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader}`);
    if (world.redis === undefined) {
      await sql(`GRANT USAGE ON SCHEMA bullmq TO ${reader}; GRANT SELECT ON ALL TABLES IN SCHEMA bullmq TO ${reader}`);
    }
    await world.redis?.client.call(
      'ACL',
      'SETUSER',
      reader,
      'on',
      '>x',
      '~*',
      '-@all',
      '+@read',
      '+@connection',
      '+info',
      '+eval',
    );
    const asReader = (url: string): string => Object.assign(new URL(url), { username: reader, password: 'x' }).href;
    const over = Object.fromEntries(
      Object.entries(world.environment).map(([name, value]) => [name, name.endsWith('_URL') ? asReader(value) : value]),
    );
    await world.activeWithoutWorker('orphan');
    await world.failed('odd', 'job stalled more than allowable limit');
    const reports = await world.verify({ over });
    expect(unsound(reports)).toEqual({ active_has_worker: 'broken', dead_letter_has_reason: 'broken' });
    await sql(`DROP OWNED BY ${reader}`);
    await sql(`DROP ROLE ${reader}`);
  });
});
