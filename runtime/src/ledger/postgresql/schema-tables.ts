/**
 * How the ledger lies in PostgreSQL: the tables of `sqlite-ledger.ts`, with what a shared server asks for besides.
 *
 * - Instants are milliseconds in the database's time. Names compare by bytes (`COLLATE "C"`), as in SQLite.
 * - Rows that change often leave room in their page (`fillfactor`), and indices are partial where the column is mostly NULL, so that an
 *   update touches no index (HOT) unless the row begins or ceases to be found by it.
 * - `session` is the process that holds a row, `claim` the number of the request by which it got it: a request whose answer was lost
 *   is undone by that number.
 * - `writers` keeps the outcome of the last group of commits of each process, written by the same transaction: whoever lost the
 *   answer to a COMMIT finds it there, or knows that nothing was written.
 */
export const TABLES = `
CREATE TYPE outcome AS (result jsonb, touched text[]);
CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, host text NOT NULL, pid integer NOT NULL, process text NOT NULL, lease_until bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE writers (session bigint PRIMARY KEY, group_no bigint NOT NULL, results json NOT NULL, written_at bigint NOT NULL) WITH (fillfactor = 50);

CREATE TABLE state (tbl text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, etag text NOT NULL, expires_at bigint, is_binary boolean NOT NULL, data bytea NOT NULL, PRIMARY KEY (tbl, key)) WITH (fillfactor = 80);
CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE topics (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, bytes bigint NOT NULL DEFAULT 0, appended bigint NOT NULL DEFAULT 0,
  trimmed bigint NOT NULL DEFAULT 0, looked bigint NOT NULL DEFAULT 0, retention_ms bigint NOT NULL DEFAULT 86400000) WITH (fillfactor = 50);
CREATE SEQUENCE message_sequence;
CREATE TABLE messages (topic integer NOT NULL, sequence bigint NOT NULL, id text NOT NULL, published_at bigint NOT NULL, content_type text, metadata text NOT NULL, data bytea NOT NULL, PRIMARY KEY (topic, sequence));
CREATE TABLE groups (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic integer NOT NULL, name text COLLATE "C" NOT NULL, cursor bigint NOT NULL DEFAULT 0, seen_at bigint NOT NULL,
  taken bigint NOT NULL DEFAULT 0, waiting bigint NOT NULL DEFAULT 0, in_flight bigint NOT NULL DEFAULT 0, UNIQUE (topic, name)) WITH (fillfactor = 50);
CREATE TABLE deliveries (grp integer NOT NULL, sequence bigint NOT NULL, attempt integer NOT NULL, due_at bigint, session bigint, claim bigint, PRIMARY KEY (grp, sequence));
CREATE INDEX deliveries_due ON deliveries (grp, due_at, sequence) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_session ON deliveries (session) WHERE session IS NOT NULL;

CREATE TABLE outbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, app_id text COLLATE "C" NOT NULL, pubsub text NOT NULL, topic text NOT NULL, created_at bigint NOT NULL,
  attempt integer NOT NULL DEFAULT 0, free_at bigint NOT NULL DEFAULT 0, content_type text NOT NULL, metadata text NOT NULL, data bytea NOT NULL) WITH (fillfactor = 80);
CREATE INDEX outbox_app ON outbox (app_id, position);
CREATE TABLE dead_letters (id text COLLATE "C" PRIMARY KEY, app_id text COLLATE "C" NOT NULL, at bigint NOT NULL, letter text NOT NULL, data bytea NOT NULL);
CREATE INDEX dead_letters_app ON dead_letters (app_id, at, id);

CREATE TABLE wf_instances (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, app text COLLATE "C" NOT NULL, instance_id text COLLATE "C" NOT NULL, execution text NOT NULL, name text COLLATE "C" NOT NULL, version text,
  status text COLLATE "C" NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL, started_at bigint, completed_at bigint,
  parent_app text COLLATE "C", parent_id text COLLATE "C", parent_execution text, parent_task bigint,
  fence bigint NOT NULL DEFAULT 0, turn bigint NOT NULL DEFAULT 0, events bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, failures integer NOT NULL DEFAULT 0, reason text,
  ready bigint, free_at bigint, owner text, session bigint, claim bigint, custom_status text, UNIQUE (app, instance_id)) WITH (fillfactor = 60);
CREATE INDEX wf_instances_ready ON wf_instances (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_instances_free ON wf_instances (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_instances_session ON wf_instances (session) WHERE session IS NOT NULL;
CREATE INDEX wf_instances_created ON wf_instances (app, created_at, id);
CREATE INDEX wf_instances_status ON wf_instances (app, status, created_at, id);
CREATE INDEX wf_instances_name ON wf_instances (app, name, created_at, id);
CREATE INDEX wf_instances_completed ON wf_instances (app, status, completed_at, id) WHERE completed_at IS NOT NULL;
CREATE INDEX wf_instances_parent ON wf_instances (parent_app, parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE wf_history (instance bigint NOT NULL, first bigint NOT NULL, count integer NOT NULL, data text NOT NULL, PRIMARY KEY (instance, first));
CREATE TABLE wf_snapshots (instance bigint PRIMARY KEY, data text NOT NULL) WITH (fillfactor = 50);
-- \`sequence\`: the message that brought it, 0 when a step of the instance did, -1 for that of the custom status.
CREATE TABLE wf_payloads (instance bigint NOT NULL, id text COLLATE "C" NOT NULL, sequence bigint NOT NULL, data text NOT NULL, PRIMARY KEY (instance, id, sequence));
CREATE TABLE wf_inbox (sequence bigint GENERATED ALWAYS AS IDENTITY, instance bigint NOT NULL, later boolean NOT NULL DEFAULT true, is_result boolean NOT NULL, event text NOT NULL, PRIMARY KEY (instance, later, sequence));
CREATE SEQUENCE wf_activity_id;
CREATE TABLE wf_activities (
  id bigint PRIMARY KEY, instance bigint NOT NULL, task_id bigint NOT NULL, app text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, attempt integer NOT NULL DEFAULT 1,
  ready bigint, free_at bigint, owner text, session bigint, claim bigint, end_by bigint, run_ms bigint, run_until bigint, beat_ms bigint, expires_at bigint, error text, request text NOT NULL) WITH (fillfactor = 70);
CREATE UNIQUE INDEX wf_activities_instance ON wf_activities (instance, task_id);
CREATE INDEX wf_activities_ready ON wf_activities (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_activities_free ON wf_activities (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_activities_session ON wf_activities (session) WHERE session IS NOT NULL;
CREATE INDEX wf_activities_expiry ON wf_activities (app, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE wf_timers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, instance bigint NOT NULL, timer_id bigint NOT NULL, app text COLLATE "C" NOT NULL, due_at bigint, is_result boolean NOT NULL, event text NOT NULL);
CREATE UNIQUE INDEX wf_timers_instance ON wf_timers (instance, timer_id);
CREATE INDEX wf_timers_due ON wf_timers (app, due_at, id) WHERE due_at IS NOT NULL;
CREATE TABLE wf_attributes (instance bigint NOT NULL, name text COLLATE "C" NOT NULL, app text COLLATE "C" NOT NULL, value text COLLATE "C" NOT NULL, created_at bigint NOT NULL, PRIMARY KEY (instance, name));
CREATE INDEX wf_attributes_value ON wf_attributes (app, name, value, created_at, instance);

CREATE TABLE jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, app text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, created_at bigint NOT NULL, due_at bigint NOT NULL, free_at bigint NOT NULL,
  claimed_at bigint, ticks bigint NOT NULL DEFAULT 0, attempt integer NOT NULL DEFAULT 1, fence bigint NOT NULL DEFAULT 0, owner text, session bigint, claim bigint,
  expires_at bigint, definition text NOT NULL, data bytea NOT NULL, UNIQUE (app, name)) WITH (fillfactor = 70);
CREATE INDEX jobs_free ON jobs (app, free_at, id);
CREATE INDEX jobs_session ON jobs (session) WHERE session IS NOT NULL;
CREATE INDEX jobs_expiry ON jobs (expires_at) WHERE expires_at IS NOT NULL;
`;

/**
 * Version 2. Lists have indices of their own, which nothing else can be planned to use.
 *
 * A plan is made when a connection first asks, often on tables that are empty or have no statistics yet, and every index that begins with
 * the app looks equally good then: an instance was looked up by its id by reading all instances of the app, until the server got round
 * to analyzing. So no column is left to chance: the key of an instance begins with its id, and the indices of lists are partial, by
 * a condition that always holds and is different for each; only a statement that says it may use them.
 */
export const BY_CREATION = 'id <> -1';
export const BY_STATUS = 'id <> -2';
export const BY_NAME = 'id <> -3';
export const BY_PARENT = 'id <> -4';
export const INDICES_OF_THEIR_OWN = `
ALTER TABLE wf_instances DROP CONSTRAINT wf_instances_app_instance_id_key;
CREATE UNIQUE INDEX wf_instances_key ON wf_instances (instance_id, app);
DROP INDEX wf_instances_created;
DROP INDEX wf_instances_status;
DROP INDEX wf_instances_name;
DROP INDEX wf_instances_parent;
CREATE INDEX wf_instances_created ON wf_instances (app, created_at, id) WHERE ${BY_CREATION};
CREATE INDEX wf_instances_status ON wf_instances (app, status, created_at, id) WHERE ${BY_STATUS};
CREATE INDEX wf_instances_name ON wf_instances (app, name, created_at, id) WHERE ${BY_NAME};
CREATE INDEX wf_instances_parent ON wf_instances (parent_app, parent_id, id) WHERE parent_id IS NOT NULL AND ${BY_PARENT};
`;
