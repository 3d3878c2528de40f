/** Version of the tables, kept in the file. */
export const SCHEMA_VERSION = 1;

/** Names the file as one of ours: `vibe` in ASCII. */
export const APPLICATION_ID = 0x76696265;

/**
 * Times are milliseconds since 1970. `users` has a row for each user with unfinished jobs, counted by triggers, so that the counts hold
 * whatever changes a job; `ticket` is the user's turn.
 */
export const SCHEMA = `
CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  user TEXT NOT NULL,
  state TEXT NOT NULL,
  request TEXT NOT NULL,
  parent TEXT,
  priority INTEGER NOT NULL,
  workload TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  idempotency_key TEXT,
  idempotent_until INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  expires_at INTEGER,
  retention_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  losses INTEGER NOT NULL DEFAULT 0,
  cancelling INTEGER NOT NULL DEFAULT 0,
  progress TEXT,
  result TEXT,
  error TEXT,
  token TEXT,
  owner TEXT,
  lease_until INTEGER,
  events INTEGER NOT NULL DEFAULT 0,
  trimmed INTEGER NOT NULL DEFAULT 0,
  outbox TEXT,
  due_at INTEGER,
  deliveries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_line ON jobs (user, priority DESC, sequence) WHERE state = 'queued';
CREATE INDEX jobs_workload ON jobs (workload) WHERE state = 'queued';
CREATE INDEX jobs_state ON jobs (state, expires_at);
CREATE INDEX jobs_user ON jobs (user, sequence);
CREATE INDEX jobs_parent ON jobs (parent, sequence) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (user, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_outbox ON jobs (outbox, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_untrimmed ON jobs (finished_at) WHERE trimmed = 0 AND finished_at IS NOT NULL;

CREATE TABLE users (
  user TEXT PRIMARY KEY,
  queued INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0,
  ticket INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE tickets (latest INTEGER NOT NULL) STRICT;
INSERT INTO tickets VALUES (0);

CREATE TABLE events (
  job INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  data BLOB,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_blobs (
  job INTEGER NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (job, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_blobs_key ON job_blobs (key);
CREATE TABLE garbage (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  slots INTEGER NOT NULL,
  checkpoint TEXT NOT NULL,
  backend TEXT NOT NULL,
  alive_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE timings (
  checkpoint TEXT NOT NULL,
  backend TEXT NOT NULL,
  workload TEXT NOT NULL,
  seconds REAL NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (checkpoint, backend, workload)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
  INSERT INTO users (user) VALUES (new.user) ON CONFLICT DO NOTHING;
  UPDATE users SET queued = queued + 1 WHERE user = new.user;
END;
CREATE TRIGGER jobs_changed AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  INSERT INTO users (user) VALUES (new.user) ON CONFLICT DO NOTHING;
  UPDATE users SET
    queued = queued - (old.state = 'queued') + (new.state = 'queued'),
    running = running - (old.state = 'running') + (new.state = 'running')
    WHERE user = new.user;
  DELETE FROM users WHERE user = new.user AND queued = 0 AND running = 0;
END;
CREATE TRIGGER users_line_begins AFTER UPDATE OF queued ON users WHEN old.queued = 0 AND new.queued > 0 BEGIN
  UPDATE tickets SET latest = latest + 1;
  UPDATE users SET ticket = (SELECT latest FROM tickets) WHERE user = new.user;
END;
PRAGMA user_version = ${SCHEMA_VERSION};
PRAGMA application_id = ${APPLICATION_ID};
`;
