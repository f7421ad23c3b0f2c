/**
 * The database's own account: triggers, set up for a site alone, note every change of a record, every row of the
 * operation log and every lease, each with its transaction. What a worker says of itself is not needed to judge it.
 */
import type { Pool } from 'pg';

export interface Audited {
  readonly at: Date;
  /** Two notes of one transaction carry the same. */
  readonly txid: string;
  readonly kind: 'record' | 'operation' | 'lease';
  readonly gameId: string;
  /** Of a record: its status before; of an operation: its outcome; of a lease: its token. */
  readonly was: string | null;
  /** Of a record: its status now; of an operation: its error code. */
  readonly became: string | null;
  readonly containerId: string | null;
  readonly jobId: string | null;
  /** The fence after the change. */
  readonly fence: string | null;
}

const TRIGGERS = `
CREATE TABLE laboratory_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  txid text NOT NULL DEFAULT pg_current_xact_id()::text,
  kind text NOT NULL, game_id text NOT NULL, was text, became text, container_id text, job_id text, fence text
);
CREATE FUNCTION laboratory_note_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO laboratory_audit (kind, game_id, was, became, container_id, fence)
  VALUES ('record', NEW.game_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status,
          CASE WHEN TG_OP = 'UPDATE' THEN coalesce(OLD.current_container_id, NEW.current_container_id)
               ELSE NEW.current_container_id END,
          NEW.lease_epoch::text);
  RETURN NULL;
END $$;
CREATE TRIGGER laboratory_record AFTER INSERT OR UPDATE ON runtime_records
  FOR EACH ROW EXECUTE FUNCTION laboratory_note_record();
CREATE FUNCTION laboratory_note_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO laboratory_audit (kind, game_id, was, became, container_id, job_id)
  VALUES ('operation', NEW.game_id, NEW.outcome, NEW.error_code, NEW.container_id, NEW.job_id);
  RETURN NULL;
END $$;
CREATE TRIGGER laboratory_operation AFTER INSERT ON operation_log
  FOR EACH ROW EXECUTE FUNCTION laboratory_note_operation();
CREATE FUNCTION laboratory_note_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO laboratory_audit (kind, game_id, was, fence) VALUES ('lease', NEW.game_id, NEW.token, NEW.fence::text);
  RETURN NULL;
END $$;
CREATE TRIGGER laboratory_lease AFTER INSERT OR UPDATE OF token ON game_leases
  FOR EACH ROW EXECUTE FUNCTION laboratory_note_lease();
`;

export interface Audit {
  /** All notes of one game, or of all, oldest first. */
  readonly notes: (gameId?: string) => Promise<readonly Audited[]>;
}

export async function installAudit(db: Pool): Promise<Audit> {
  await db.query(TRIGGERS);
  return {
    notes: async (gameId) => {
      const { rows } = await db.query<Audited>(
        `SELECT at, txid, kind, game_id AS "gameId", was, became, container_id AS "containerId", job_id AS "jobId", fence
         FROM laboratory_audit WHERE $1::text IS NULL OR game_id = $1 ORDER BY id`,
        [gameId ?? null],
      );
      return rows;
    },
  };
}
