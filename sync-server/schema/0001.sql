-- The first shape of the server's database. Shipped files in this folder never
-- change: a new shape is a new file. Times are milliseconds since 1970 in UTC.

-- One row per key; a key's secret is known here only as its SHA-256.
CREATE TABLE traps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    key_sha256 BLOB NOT NULL UNIQUE,
    added_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    last_contact_ms INTEGER,
    captures INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Two traps in use never share a name; a revoked one gives its name back.
CREATE UNIQUE INDEX traps_by_name_in_use ON traps (name) WHERE revoked_ms IS NULL;
CREATE INDEX traps_by_name ON traps (name, number);

-- `record` columns hold the JSON of the wire's types.
CREATE TABLE heartbeats (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    received_ms INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX heartbeats_by_trap ON heartbeats (trap, number);

CREATE TABLE effort (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    id TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    last_due_ms INTEGER NOT NULL,
    missed INTEGER NOT NULL CHECK (missed IN (0, 1)),
    record TEXT NOT NULL,
    UNIQUE (trap, id)
) STRICT;
CREATE INDEX effort_by_time ON effort (due_ms, number);
CREATE INDEX effort_by_trap ON effort (trap, due_ms, number);
CREATE INDEX effort_missed ON effort (trap, last_due_ms) WHERE missed = 1;

CREATE TABLE readings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    id TEXT NOT NULL,
    taken_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (trap, id)
) STRICT;
CREATE INDEX readings_by_time ON readings (taken_ms, number);
CREATE INDEX readings_by_trap ON readings (trap, taken_ms, number);

-- `insects` and `gave_up` repeat the newest inspection, so that a list of a
-- million captures filters by an index.
CREATE TABLE captures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    id TEXT NOT NULL,
    taken_ms INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    record TEXT NOT NULL,
    insects INTEGER,
    gave_up TEXT,
    UNIQUE (trap, id)
) STRICT;
CREATE INDEX captures_by_time ON captures (taken_ms, number);
CREATE INDEX captures_by_trap ON captures (trap, taken_ms, number);
CREATE INDEX captures_with_insects ON captures (taken_ms, number) WHERE insects >= 1;
CREATE INDEX captures_with_insects_by_trap ON captures (trap, taken_ms, number) WHERE insects >= 1;
CREATE INDEX captures_without_insects ON captures (taken_ms, number) WHERE insects = 0;
CREATE INDEX captures_without_insects_by_trap ON captures (trap, taken_ms, number) WHERE insects = 0;
CREATE INDEX captures_inspected_by_trap ON captures (trap, taken_ms, number) WHERE insects IS NOT NULL;

CREATE TABLE inspections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    capture INTEGER NOT NULL REFERENCES captures (number),
    model_id TEXT NOT NULL,
    model_sha256 BLOB NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (capture, model_id, model_sha256)
) STRICT;

-- A row stands here only after the file was hashed, synced and named.
CREATE TABLE pictures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    sha256 BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
    UNIQUE (trap, sha256)
) STRICT;

-- How far an open upload has come is the length of its file, not a column.
CREATE TABLE uploads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    trap INTEGER NOT NULL REFERENCES traps (number),
    length_bytes INTEGER NOT NULL,
    sha256 BLOB,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'gone')),
    touched_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_by_trap ON uploads (trap, state, touched_ms);
CREATE INDEX uploads_by_state ON uploads (state, touched_ms);

CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_sha256 BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users (number),
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);
