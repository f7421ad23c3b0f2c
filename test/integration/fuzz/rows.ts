/** Rows as other services write them, or could write them: all that the tables allow. */
import * as fc from 'fast-check';
import type pg from 'pg';
import { hostileText } from '../../unit/fuzz/hostile.js';
import { gameId } from '../../unit/fuzz/ids.js';

export const BIGINT_MAX = '9223372036854775807';

/** What PostgreSQL's text holds. */
const storedText = hostileText.map((text) => text.replaceAll('\0', '').toWellFormed().slice(0, 2_000));

const moment = fc.oneof(
  fc.constantFrom(
    'infinity',
    '-infinity',
    '4713-01-01 00:00:00+00 BC',
    '0001-01-01 00:00:00+00 BC',
    '0001-01-01 00:00:00+00',
    '294276-12-31 23:59:59.999+00',
    '10000-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999999+00',
    'epoch',
    '2026-03-29 02:30:00 Europe/Berlin',
    '2026-01-01 00:00:00.0005+00',
    '2026-01-01 12:00:00+15:59',
    'now',
    '275760-09-13 00:00:00+00',
    '275760-09-13 00:00:00.001+00',
    '1969-12-31 23:59:59.9999+00',
  ),
  fc
    .integer({ min: -200_000, max: 200_000 })
    .map((hours) => new Date(Date.UTC(2026, 0) + hours * 3_600_000).toISOString()),
);
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3 });

const containerId = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[0-9a-f]{64}$/) },
  fc.constantFrom('', ' ', '0123456789ab', 'F'.repeat(64), `${'a'.repeat(64)}\n`, `${'a'.repeat(64)}?force=1`, '../x'),
  storedText,
);

/** Columns and their values as PostgreSQL reads them. */
export type Row = Readonly<Record<string, string | null>>;

const rowId = fc.oneof({ weight: 4, arbitrary: gameId }, { weight: 1, arbitrary: storedText });

const recordRow = (status: fc.Arbitrary<string>): fc.Arbitrary<Row> =>
  fc.record({
    game_id: rowId,
    status,
    current_container_id: nullable(containerId),
    current_image_ref: nullable(storedText),
    engine_endpoint: storedText,
    state_path: storedText,
    docker_network: storedText,
    started_at: nullable(moment),
    stopped_at: nullable(moment),
    removed_at: nullable(moment),
    last_op_at: moment,
    created_at: moment,
    lease_epoch: fc.oneof(
      { weight: 3, arbitrary: fc.nat().map(String) },
      fc.constantFrom(BIGINT_MAX, '-9223372036854775808', '9223372036854775800', '-1', '9007199254740993'),
    ),
    theirs: nullable(storedText),
  });

const aboutGame =
  (fields: Readonly<Record<string, fc.Arbitrary<string | null>>>) =>
  (id: string): fc.Arbitrary<Row> =>
    fc.record({ game_id: fc.constant(id), ...fields });

const holdOf = aboutGame({ reason: storedText, held_by: storedText, held_until: nullable(moment) });
const leaseOf = aboutGame({
  token: storedText,
  expires_at: moment,
  fence: fc.constantFrom('0', '-1', '9223372036854775800', BIGINT_MAX),
});
const logRowOf = aboutGame({
  op_kind: storedText,
  op_source: storedText,
  source_ref: storedText,
  image_ref: storedText,
  container_id: storedText,
  outcome: fc.constantFrom('success', 'failure'),
  error_code: storedText,
  error_message: storedText,
  started_at: moment,
  finished_at: moment,
  job_id: storedText,
  attempt: fc.constantFrom('0', '-2147483648', '2147483647'),
});

export interface Rows {
  readonly runtime_records: readonly Row[];
  readonly retention_holds: readonly Row[];
  readonly game_leases: readonly Row[];
  readonly operation_log: readonly Row[];
}

export const rows = (status: fc.Arbitrary<string>): fc.Arbitrary<Rows> =>
  fc
    .uniqueArray(recordRow(status), { selector: (row) => row['game_id'], minLength: 1, maxLength: 25, size: 'max' })
    .chain((records) => {
      const ids = records.map((row) => row['game_id'] ?? '');
      const some = (of: (id: string) => fc.Arbitrary<Row>) =>
        fc.subarray(ids).chain((chosen) => fc.tuple(...chosen.map(of)));
      return fc.record({
        runtime_records: fc.constant(records),
        retention_holds: some(holdOf),
        game_leases: some(leaseOf),
        operation_log: some(logRowOf),
      });
    });

/** Plain SQL, as from another service. */
export async function insertRows(pool: pg.Pool, tables: Rows): Promise<void> {
  for (const [table, all] of Object.entries(tables) as readonly [string, readonly Row[]][]) {
    for (const row of all) {
      const names = Object.keys(row);
      const values = names.map((_name, index) => `$${index + 1}`).join(', ');
      await pool.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${values})`, Object.values(row));
    }
  }
}
