-- Several engines, and the evidence that an engine which says "gone" can be believed (contract, sections 1 and 2).

-- The engine that owns the record's container: a name of RTMANAGER_DOCKER_HOSTS; null: the default engine.
ALTER TABLE runtime_records ADD COLUMN docker_host text;

-- What a success did to the container, which engine did it, and who asked for it; empty where that is not known.
ALTER TABLE operation_log
    ADD COLUMN removal text NOT NULL DEFAULT '',
    ADD COLUMN engine  text NOT NULL DEFAULT '',
    ADD COLUMN actor   text NOT NULL DEFAULT '',
    ADD CONSTRAINT operation_log_removal_check CHECK (removal IN ('', 'removed', 'already_gone', 'none'));

-- Each engine's identity, as it was when the engine was first used or last accepted.
CREATE TABLE engines (
    name                    text           NOT NULL,
    engine_id               text           NOT NULL,
    root_dir                text           NOT NULL,
    storage_driver          text           NOT NULL,
    first_seen_at           timestamptz(3) NOT NULL,
    last_seen_at            timestamptz(3) NOT NULL,
    accepted_at             timestamptz(3),
    accepted_by             text,
    -- Another identity that answers at the address now; all null while the right engine answers.
    observed_engine_id      text,
    observed_root_dir       text,
    observed_storage_driver text,
    observed_at             timestamptz(3),
    -- Looks before this moment say nothing about the engine: it was unreachable, or another one answered, since then.
    evidence_since          timestamptz(3) NOT NULL,

    CONSTRAINT engines_pkey PRIMARY KEY (name)
);

-- The newest look at each container that a cleanup looked at: whether an engine has shown containers of this platform
-- lately, which containers it says are gone, and which removals were sent. One row a container, so that the retries of
-- one job count once. Rows are deleted after a week.
CREATE TABLE container_looks (
    engine       text           NOT NULL,
    container_id text           NOT NULL,
    game_id      text           NOT NULL,
    found        text           NOT NULL,
    looked_at    timestamptz(3) NOT NULL,
    -- The job that has sent a removal of this container; null while none has.
    removal_job  text,
    -- An operator has accepted that this container is gone.
    accepted_at  timestamptz(3),
    accepted_by  text,

    CONSTRAINT container_looks_pkey PRIMARY KEY (engine, container_id),
    CONSTRAINT container_looks_found_check CHECK (found IN ('present', 'gone'))
);

-- The newest looks at an engine.
CREATE INDEX container_looks_engine_looked_at_idx ON container_looks (engine, looked_at DESC);

-- The records of one engine in game id order: other containers whose presence shows that an engine can be believed.
CREATE INDEX runtime_records_engine_game_id_idx ON runtime_records ((coalesce(nullif(btrim(docker_host), ''), 'default')), game_id)
    WHERE status IN ('running', 'stopped') AND current_container_id IS NOT NULL;
