-- The tables of the public contract, section 2.
--
-- Words are text + CHECK, not native enums: a new word is one constraint swapped in a transaction, any language reads it,
-- and the planner can match `status = 'stopped'` with the partial index below.
-- Times are timestamptz(3): a JavaScript Date has milliseconds, and a keyset cursor over finer times repeats rows.
-- Game ids are neither measured nor parsed here: rows of other services pass through these tables too.
-- There is no CREATE SCHEMA: a role that owns the tables need not be allowed to create schemas.

-- What we believe about each game's runtime: one row a game.
CREATE TABLE runtime_records (
    game_id              text           NOT NULL,
    status               text           NOT NULL,
    current_container_id text,
    current_image_ref    text,
    engine_endpoint      text           NOT NULL DEFAULT '',
    state_path           text           NOT NULL DEFAULT '',
    docker_network       text           NOT NULL DEFAULT '',
    started_at           timestamptz(3),
    stopped_at           timestamptz(3),
    removed_at           timestamptz(3),
    last_op_at           timestamptz(3) NOT NULL,
    created_at           timestamptz(3) NOT NULL,
    -- The fence: bumped by whoever takes the record under a lease, checked by the compare-and-set.
    lease_epoch          bigint         NOT NULL DEFAULT 0,

    CONSTRAINT runtime_records_pkey PRIMARY KEY (game_id),
    CONSTRAINT runtime_records_status_check CHECK (status IN ('running', 'stopped', 'removed'))
);

-- Listings of one status in game id order, and counts by status.
CREATE INDEX runtime_records_status_game_id_idx ON runtime_records (status, game_id);

-- The retention sweep: oldest first by the retention clock, in keyset pages. The clock is `stopped_at`, where that is
-- null `last_op_at`; a query uses this index when it spells the expression as it stands here:
--   WHERE status = 'stopped' AND (coalesce(stopped_at, last_op_at), game_id) > ($1, $2)
--   ORDER BY coalesce(stopped_at, last_op_at), game_id
-- One index over the expression keeps the two kinds of rows in one order; two indexes would have to be merged.
CREATE INDEX runtime_records_stopped_since_idx ON runtime_records ((coalesce(stopped_at, last_op_at)), game_id)
    WHERE status = 'stopped';

-- One row for every attempt at a lifecycle change, refusals and replays too. It outlives the records it speaks of, and
-- a refused request may name a game that never was, so there is no foreign key; nor is `op_source` checked, because the
-- row of a request refused for its unknown source says which word that was.
CREATE TABLE operation_log (
    id            bigint         NOT NULL GENERATED ALWAYS AS IDENTITY,
    game_id       text           NOT NULL,
    op_kind       text           NOT NULL,
    op_source     text           NOT NULL,
    source_ref    text           NOT NULL DEFAULT '',
    image_ref     text           NOT NULL DEFAULT '',
    container_id  text           NOT NULL DEFAULT '',
    outcome       text           NOT NULL,
    error_code    text           NOT NULL DEFAULT '',
    error_message text           NOT NULL DEFAULT '',
    started_at    timestamptz(3) NOT NULL,
    finished_at   timestamptz(3) NOT NULL,
    -- Which try of which job wrote the row.
    job_id        text           NOT NULL DEFAULT '',
    attempt       integer        NOT NULL DEFAULT 0,

    CONSTRAINT operation_log_pkey PRIMARY KEY (id),
    CONSTRAINT operation_log_outcome_check CHECK (outcome IN ('success', 'failure'))
);

-- A game's history, newest first, in keyset pages.
CREATE INDEX operation_log_game_id_id_idx ON operation_log (game_id, id);

-- The log is append-only. What was written is never changed. Old rows may go, because somebody has to bound the table,
-- but only in a session that says so, never by a slip:
--   BEGIN;
--   SET LOCAL rtmanager.prune_operation_log = 'on';
--   DELETE FROM operation_log WHERE finished_at < now() - interval '400 days';
--   COMMIT;
CREATE FUNCTION operation_log_refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP <> 'UPDATE' AND current_setting('rtmanager.prune_operation_log', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'operation_log is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = CASE TG_OP
                  WHEN 'UPDATE' THEN 'Append a row that corrects the other.'
                  ELSE 'To prune old rows, SET LOCAL rtmanager.prune_operation_log = ''on'' in the same transaction.'
              END;
END;
$$;

CREATE TRIGGER operation_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON operation_log
    FOR EACH STATEMENT EXECUTE FUNCTION operation_log_refuse_change();

-- Game leases, used with RTMANAGER_LEASE_STORE=postgres. A released lease keeps its row, so that its fence never goes
-- back.
CREATE TABLE game_leases (
    game_id    text           NOT NULL,
    token      text           NOT NULL,
    expires_at timestamptz(3) NOT NULL,
    fence      bigint         NOT NULL,

    CONSTRAINT game_leases_pkey PRIMARY KEY (game_id)
);

-- Games whose stopped containers `auto_ttl` must leave alone until `held_until`, or for good where that is null.
CREATE TABLE retention_holds (
    game_id    text           NOT NULL,
    reason     text           NOT NULL,
    held_by    text           NOT NULL,
    held_until timestamptz(3),

    CONSTRAINT retention_holds_pkey PRIMARY KEY (game_id)
);
