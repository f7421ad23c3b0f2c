-- The database roles of this service, each with the least rights it needs. The operation log can be extended by worker and
-- API, and changed by neither.
--
--   psql "postgresql://postgres@host/rtmanager" -f deploy/roles.sql
--
-- Run it in the service's database as a superuser (or as the owner of the database, if that role may create roles): before
-- the first `runtime-cleanup migrate`, and again with each new release before its `runtime-cleanup migrate`. It may be
-- run at any time, and as often as you like.
--
-- Names are variables (-v worker=name); the defaults are below. A password is set where the environment has one:
-- MIGRATOR_PASSWORD, WORKER_PASSWORD, API_PASSWORD, READER_PASSWORD (psql 15 or newer, or -v worker_password=...).
\set ON_ERROR_STOP on
\set QUIET on
\if :{?migrator}
\else
  \set migrator rtmanager_migrator
\endif
\if :{?worker}
\else
  \set worker rtmanager_worker
\endif
\if :{?api}
\else
  \set api rtmanager_api
\endif
\if :{?reader}
\else
  \set reader rtmanager_reader
\endif
\if :{?migrator_password}
\else
  \set migrator_password ''
  \getenv migrator_password MIGRATOR_PASSWORD
\endif
\if :{?worker_password}
\else
  \set worker_password ''
  \getenv worker_password WORKER_PASSWORD
\endif
\if :{?api_password}
\else
  \set api_password ''
  \getenv api_password API_PASSWORD
\endif
\if :{?reader_password}
\else
  \set reader_password ''
  \getenv reader_password READER_PASSWORD
\endif

BEGIN;
SET LOCAL search_path = pg_catalog;
SET LOCAL lock_timeout = '5s';
SET LOCAL client_min_messages = warning;

-- For the blocks below, into which psql puts no variables.
SELECT set_config('rtmanager.migrator', :'migrator', true), set_config('rtmanager.migrator_password', :'migrator_password', true),
       set_config('rtmanager.worker', :'worker', true), set_config('rtmanager.worker_password', :'worker_password', true),
       set_config('rtmanager.api', :'api', true), set_config('rtmanager.api_password', :'api_password', true),
       set_config('rtmanager.reader', :'reader', true), set_config('rtmanager.reader_password', :'reader_password', true)
\g /dev/null

-- The roles, and the way to the tables.
DO $$
DECLARE
    kind     text;
    role     text;
    password text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['migrator', 'worker', 'api', 'reader'] LOOP
        role := current_setting('rtmanager.' || kind);
        password := current_setting('rtmanager.' || kind || '_password');
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        IF password <> '' THEN
            EXECUTE format('ALTER ROLE %I PASSWORD %L', role, password);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
    END LOOP;

    -- The migrator creates our tables in public, and the schema of a queue in PostgreSQL.
    role := current_setting('rtmanager.migrator');
    IF NOT pg_has_role(current_user, role, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', role, current_user);
    END IF;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), role);
    EXECUTE format('GRANT CREATE ON SCHEMA public TO %I', role);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS bullmq AUTHORIZATION %I', role);
END
$$;

-- What another role has created so far belongs to the migrator from now on: only an owner may alter a table.
DO $$
DECLARE
    migrator text := current_setting('rtmanager.migrator');
    command  text;
BEGIN
    FOR command IN
        WITH relations AS (
            SELECT oid, relkind, relowner FROM pg_class
            WHERE relnamespace = to_regnamespace('bullmq') AND relkind IN ('r', 'p', 'v', 'S')
               OR relnamespace = to_regnamespace('public') AND relkind = 'r' AND relname IN (
                   'runtime_records', 'operation_log', 'engines', 'container_looks', 'game_leases', 'retention_holds',
                   'runtime_cleanup_migrations')
        ), routines AS (
            SELECT oid, proowner FROM pg_proc
            WHERE pronamespace = to_regnamespace('bullmq')
               OR oid = to_regprocedure('public.operation_log_refuse_change()')
        )
        SELECT format('ALTER TABLE %s OWNER TO %I', oid::regclass, migrator) FROM relations
        WHERE relowner <> migrator::regrole
          -- A sequence that belongs to a column changes its owner with the table.
          AND NOT (relkind = 'S' AND EXISTS (
              SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = relations.oid AND deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, migrator) FROM routines
        WHERE proowner <> migrator::regrole
        UNION ALL
        SELECT format('ALTER SCHEMA bullmq OWNER TO %I', migrator) FROM pg_namespace
        WHERE nspname = 'bullmq' AND nspowner <> migrator::regrole
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;

-- The rights on our tables. `runtime-cleanup migrate` calls this function too, after it has made new tables; it takes
-- away what is not listed.
CREATE OR REPLACE FUNCTION public.runtime_cleanup_grant() RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
    listed record;
BEGIN
    FOR listed IN
        SELECT * FROM (VALUES
            ('runtime_records',            'SELECT, UPDATE',                 'SELECT, UPDATE'),
            ('operation_log',              'SELECT, INSERT',                 'SELECT, INSERT'),
            ('engines',                    'SELECT, INSERT, UPDATE',         'SELECT, UPDATE'),
            ('container_looks',            'SELECT, INSERT, UPDATE, DELETE', 'SELECT, UPDATE'),
            ('game_leases',                'SELECT, INSERT, UPDATE',         'SELECT, INSERT, UPDATE'),
            ('retention_holds',            'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE'),
            ('runtime_cleanup_migrations', 'SELECT',                         'SELECT')
        ) AS rights (name, worker, api)
        WHERE to_regclass('public.' || name) IS NOT NULL
    LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM %I, %I, %I', listed.name, current_setting('rtmanager.worker'),
                       current_setting('rtmanager.api'), current_setting('rtmanager.reader'));
        EXECUTE format('GRANT %s ON public.%I TO %I', listed.worker, listed.name, current_setting('rtmanager.worker'));
        EXECUTE format('GRANT %s ON public.%I TO %I', listed.api, listed.name, current_setting('rtmanager.api'));
        EXECUTE format('GRANT SELECT ON public.%I TO %I', listed.name, current_setting('rtmanager.reader'));
    END LOOP;
END
$$;

DO $$
DECLARE
    migrator text := current_setting('rtmanager.migrator');
    worker   text := current_setting('rtmanager.worker');
    api      text := current_setting('rtmanager.api');
    reader   text := current_setting('rtmanager.reader');
    setting  text;
BEGIN
    -- The function remembers the roles, and looks up nothing in a schema where other roles may create objects.
    FOREACH setting IN ARRAY ARRAY['rtmanager.worker', 'rtmanager.api', 'rtmanager.reader'] LOOP
        EXECUTE format('ALTER FUNCTION public.runtime_cleanup_grant() SET %s = %L', setting, current_setting(setting));
    END LOOP;
    ALTER FUNCTION public.runtime_cleanup_grant() SET search_path = pg_catalog;
    EXECUTE format('ALTER FUNCTION public.runtime_cleanup_grant() OWNER TO %I', migrator);
    REVOKE ALL ON FUNCTION public.runtime_cleanup_grant() FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION public.runtime_cleanup_grant() TO %I, %I', migrator, current_user);

    -- A queue in PostgreSQL: every client of BullMQ reads and writes all of its tables. The second half is for tables of
    -- later versions.
    EXECUTE format('GRANT USAGE ON SCHEMA bullmq TO %I, %I, %I', worker, api, reader);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq TO %I, %I', worker, api);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA bullmq TO %I, %I', worker, api);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA bullmq TO %I', reader);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA bullmq GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I, %I',
                   migrator, worker, api);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA bullmq GRANT USAGE, SELECT ON SEQUENCES TO %I, %I',
                   migrator, worker, api);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA bullmq GRANT SELECT ON TABLES TO %I', migrator, reader);

    -- A table of a later release can be read; what else it needs is granted by the roles.sql of that release.
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT SELECT ON TABLES TO %I, %I, %I',
                   migrator, worker, api, reader);
END
$$;

SELECT public.runtime_cleanup_grant()
\g /dev/null
COMMIT;
\echo The roles :migrator, :worker, :api and :reader have their rights.
