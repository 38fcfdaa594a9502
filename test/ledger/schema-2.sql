-- A ledger of schema 2, as the program of that time laid it out. Never changed: files like it are out there.
CREATE TABLE ledger_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO ledger_meta VALUES ('schema', '2');
CREATE TABLE state (id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, expires_at INTEGER, is_binary INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (tbl, key));
CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0, retention_ms INTEGER NOT NULL DEFAULT 86400000);
CREATE TABLE messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL, id TEXT NOT NULL, published_at INTEGER NOT NULL, content_type TEXT, metadata TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX messages_topic ON messages (topic, sequence);
CREATE TABLE groups (id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name TEXT NOT NULL, cursor INTEGER NOT NULL DEFAULT 0, seen_at INTEGER NOT NULL, UNIQUE (topic, name));
CREATE TABLE deliveries (grp INTEGER NOT NULL, sequence INTEGER NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER, session TEXT, PRIMARY KEY (grp, sequence)) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (grp, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_session ON deliveries (session) WHERE session IS NOT NULL;
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, app_id TEXT NOT NULL, pubsub TEXT NOT NULL, topic TEXT NOT NULL, created_at INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, free_at INTEGER NOT NULL DEFAULT 0, content_type TEXT NOT NULL, metadata TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX outbox_free ON outbox (app_id, position);
CREATE TABLE dead_letters (id TEXT PRIMARY KEY, app_id TEXT NOT NULL, at INTEGER NOT NULL, letter TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX dead_letters_app ON dead_letters (app_id, at, id);
CREATE TABLE sessions (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, process_start TEXT NOT NULL, lease_until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sidecars (instance_id TEXT PRIMARY KEY, session TEXT NOT NULL, app_id TEXT NOT NULL, namespace TEXT NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE wf_instances (
  id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, instance_id TEXT NOT NULL, execution TEXT NOT NULL, name TEXT NOT NULL, version TEXT,
  status TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,
  parent_app TEXT, parent_id TEXT, parent_execution TEXT, parent_task INTEGER,
  fence INTEGER NOT NULL DEFAULT 0, turn INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0, reason TEXT, ready INTEGER, free_at INTEGER, owner TEXT, session TEXT, custom_status TEXT, UNIQUE (app, instance_id));
CREATE INDEX wf_instances_ready ON wf_instances (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_instances_free ON wf_instances (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_instances_session ON wf_instances (session) WHERE session IS NOT NULL;
CREATE INDEX wf_instances_created ON wf_instances (app, created_at, id);
CREATE INDEX wf_instances_status ON wf_instances (app, status, created_at, id);
CREATE INDEX wf_instances_name ON wf_instances (app, name, created_at, id);
CREATE INDEX wf_instances_completed ON wf_instances (app, status, completed_at, id) WHERE completed_at IS NOT NULL;
CREATE INDEX wf_instances_parent ON wf_instances (parent_app, parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE wf_history (id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX wf_history_instance ON wf_history (instance, first);
CREATE TABLE wf_snapshots (instance INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE wf_inbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, later INTEGER NOT NULL DEFAULT 1, is_result INTEGER NOT NULL, event TEXT NOT NULL);
CREATE INDEX wf_inbox_instance ON wf_inbox (instance, later, sequence);
CREATE TABLE wf_activities (
  id INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, task_id INTEGER NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  ready INTEGER, free_at INTEGER, owner TEXT, session TEXT, end_by INTEGER, run_ms INTEGER, run_until INTEGER, beat_ms INTEGER, expires_at INTEGER, error TEXT, request TEXT NOT NULL);
CREATE UNIQUE INDEX wf_activities_instance ON wf_activities (instance, task_id);
CREATE INDEX wf_activities_ready ON wf_activities (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_activities_free ON wf_activities (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_activities_session ON wf_activities (session) WHERE session IS NOT NULL;
CREATE INDEX wf_activities_expiry ON wf_activities (app, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE wf_timers (id INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, timer_id INTEGER NOT NULL, app TEXT NOT NULL, due_at INTEGER, is_result INTEGER NOT NULL, event TEXT NOT NULL);
CREATE UNIQUE INDEX wf_timers_instance ON wf_timers (instance, timer_id);
CREATE INDEX wf_timers_due ON wf_timers (app, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE wf_attributes (instance INTEGER NOT NULL, name TEXT NOT NULL, app TEXT NOT NULL, value TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (instance, name)) WITHOUT ROWID;
CREATE INDEX wf_attributes_value ON wf_attributes (app, name, value, created_at, instance);
