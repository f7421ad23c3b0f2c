/** The states in which the record may be when it is taken and when it is changed. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { expect } from 'vitest';
import { provokes } from './catalogue/provokes.js';
import type { Rig } from './rig.js';
import { type Game, type Site, useSite } from './site.js';

let site: Site;
let rig: Rig;
useSite((...opened) => ([site, rig] = opened));

/** Changes the record without the worker. */
const setRecord = ({ gameId }: Game, change: string) =>
  site.pool.query(`UPDATE runtime_records SET ${change} WHERE game_id = $1`, [gameId]);
const deleteRecord = ({ gameId }: Game) => site.pool.query('DELETE FROM runtime_records WHERE game_id = $1', [gameId]);

provokes('record-stopped', /^$/, async () => {
  const game = await site.game({ state: 'exited' });
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('missing');
  expect(await site.statusOf(game)).toBe('removed');
  expect(await ended.loggedCodes()).toEqual(['']);
  return ended;
});

provokes('record-without-container', /^$/, async () => {
  const game = await site.bareGame({ recordedId: null });
  const ended = await rig.run(game.job());
  expect(await site.statusOf(game)).toBe('removed');
  return ended;
});

provokes('record-empty-container-id', /^$/, async () => {
  const game = await site.bareGame({ recordedId: '' });
  const ended = await rig.run(game.job());
  expect(await site.statusOf(game)).toBe('removed');
  expect(ended.concluded).toMatchObject([{ removal: 'none', containerId: '' }]);
  return ended;
});

provokes(
  'record-without-container-labelled',
  /^the record named no container; left alone, .*\(created\)$/,
  async () => {
    const game = await site.game({ recordedId: null });
    const ended = await rig.run(game.job());
    await untouched(game);
    expect(await site.statusOf(game)).toBe('removed');
    return ended;
  },
);

provokes('record-without-container-running', /with the label of this game is running; stop the runtime/, async () => {
  const game = await site.game({ recordedId: null, state: 'running' });
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('running');
  expect(await site.statusOf(game)).toBe('stopped');
  return ended;
});

provokes(
  'record-removed-with-container',
  /its container [0-9a-f]{64} exists \(created\) and was left alone$/,
  async () => {
    const game = await site.game({ status: 'removed' });
    const ended = await rig.run(game.job());
    await untouched(game);
    return ended;
  },
);

provokes('record-removed-before', /removed before/, async () => {
  const game = await site.bareGame({ status: 'removed', recordedId: null });
  return rig.run(game.job());
});

provokes('record-removed-meanwhile', /removed before/, async () => {
  const game = await site.game();
  return rig.run(game.job(), { removed: () => setRecord(game, `status = 'removed', current_container_id = NULL`) });
});

provokes('record-missing', /^not_found: there is no runtime record of this game/, () =>
  rig.run({ payload: { gameId: 'unknown-game', opSource: 'admin_rest' } }),
);

provokes('record-vanished-meanwhile', /vanished while its container was cleaned up/, async () => {
  const game = await site.game();
  return rig.run(game.job(), { removed: () => deleteRecord(game) });
});

provokes('record-missing-for-sweep', /there is no runtime record/, () =>
  rig.run({ payload: { gameId: 'unknown-game', opSource: 'auto_ttl' } }),
);

/** The job was refused because of its record, and the engine was not asked. */
const untouched = async (game: Game): Promise<void> => {
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
};

provokes('record-running', /the runtime is running; stop the runtime first/, async () => {
  const game = await site.game({ status: 'running' });
  const ended = await rig.run(game.job());
  await untouched(game);
  return ended;
});

provokes('record-started-meanwhile', /the record became "running" during the cleanup/, async () => {
  const game = await site.game();
  return rig.run(game.job(), { removed: () => setRecord(game, `status = 'running'`) });
});

provokes('record-other-container-meanwhile', /the record names another container by now/, async () => {
  const game = await site.game();
  const other = 'b'.repeat(64);
  return rig.run(game.job(), { removed: () => setRecord(game, `current_container_id = '${other}'`) });
});

provokes('record-taken-meanwhile', /another holder of the lease has taken the record/, async () => {
  const game = await site.game();
  return rig.run(game.job(), { removed: () => setRecord(game, 'lease_epoch = lease_epoch + 1') });
});

provokes('record-running-for-sweep', /the runtime is running/, async () => {
  const game = await site.game({ status: 'running' });
  const ended = await rig.run(game.sweepJob());
  await untouched(game);
  return ended;
});

provokes('record-not-due-for-sweep', /^not due: stopped for \d+ s, due in \d+ s$/, async () => {
  const game = await site.game();
  await setRecord(game, 'stopped_at = now()');
  const ended = await rig.run(game.sweepJob());
  await untouched(game);
  return ended;
});

provokes('record-held-for-sweep', /a retention hold keeps this container/, async () => {
  const game = await site.game();
  await site.pool.query(`INSERT INTO retention_holds (game_id, reason, held_by) VALUES ($1, 'evidence', 'us')`, [
    game.gameId,
  ]);
  const ended = await rig.run(game.sweepJob());
  await untouched(game);
  return ended;
});

for (const recordedId of ['0123456789ab', 'galaxy-game-7']) {
  const message = /^container_mismatch: the record's container id ".+" is not a full one/;
  const provoke = async () => rig.run((await site.bareGame({ recordedId })).job());
  provokes('record-container-id-not-full', message, provoke, recordedId);
}

provokes('record-other-container-than-expected', /the request expects container b{64}; the record names/, async () => {
  const game = await site.game();
  const ended = await rig.run(game.job({ expectedContainerId: 'b'.repeat(64) }));
  await untouched(game);
  return ended;
});

provokes('record-unknown-status', /unsupported status "archived"; known: running, stopped, removed/, async () => {
  await site.pool.query('ALTER TABLE runtime_records DROP CONSTRAINT runtime_records_status_check');
  const game = await site.bareGame({ status: 'archived' });
  return rig.run(game.job());
});
