-- The ledger, as it was first shipped. A shipped schema file never changes:
-- the next version is the next file.

CREATE TABLE ledger (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    created_clock TEXT NOT NULL,
    created_boot_id TEXT NOT NULL,
    created_uptime_ms INTEGER NOT NULL
) STRICT;

-- Small facts that the agent wants to find again after a power cut.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A sensor that failed or is absent is NULL.
CREATE TABLE readings (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    temperature_c REAL,
    humidity_percent REAL,
    light_lux REAL,
    battery_v REAL,
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX readings_waiting ON readings (seq) WHERE record = 'waiting';

CREATE TABLE captures (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('camera', 'replayed', 'simulated')),
    -- The camera's model or the replayed file's name.
    source_name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    width_px INTEGER,
    height_px INTEGER,
    reading INTEGER REFERENCES readings (seq),
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT '',
    picture TEXT NOT NULL DEFAULT 'on_card'
        CHECK (picture IN ('on_card', 'damaged', 'safe', 'pruned')),
    -- What is wrong with a damaged picture, or why the last upload failed.
    picture_note TEXT NOT NULL DEFAULT '',
    picture_attempts INTEGER NOT NULL DEFAULT 0,
    -- When the server stored the picture, in its own time; 0 before that.
    received_ms INTEGER NOT NULL DEFAULT 0,
    inspection TEXT NOT NULL DEFAULT 'fresh' CHECK (inspection IN ('fresh', 'seen', 'gave_up')),
    inspection_attempts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX captures_by_time ON captures (unix_ms);
CREATE INDEX captures_waiting ON captures (seq) WHERE record = 'waiting';
CREATE INDEX captures_fresh ON captures (seq) WHERE inspection = 'fresh';
CREATE INDEX captures_by_content ON captures (sha256) WHERE picture IN ('on_card', 'damaged');
CREATE INDEX captures_kept ON captures (picture, record, picture_attempts, seq, size_bytes)
    WHERE picture <> 'pruned';

-- Planned shots; the stamp of an open row says when the shot was opened.
CREATE TABLE effort (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    due_ms INTEGER NOT NULL,
    last_due_ms INTEGER NOT NULL,
    shots INTEGER NOT NULL CHECK (shots >= 1),
    outcome TEXT NOT NULL CHECK (outcome IN ('open', 'done', 'missed')),
    capture INTEGER REFERENCES captures (seq),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT '',
    CHECK ((outcome = 'done') = (capture IS NOT NULL)),
    CHECK ((outcome = 'missed') = (reason <> ''))
) STRICT;

CREATE INDEX effort_waiting ON effort (seq) WHERE record = 'waiting';
CREATE INDEX effort_missed ON effort (last_due_ms, reason, shots) WHERE outcome = 'missed';

CREATE TABLE inspections (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    capture INTEGER NOT NULL REFERENCES captures (seq),
    model TEXT NOT NULL,
    model_sha256 BLOB NOT NULL CHECK (length(model_sha256) = 32),
    model_threshold REAL NOT NULL,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    -- The outcome as JSON of the wire.
    outcome TEXT NOT NULL,
    -- Boxes at or over the model's threshold; NULL when the inspection was given up.
    insects INTEGER,
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT '',
    UNIQUE (capture, model, model_sha256)
) STRICT;

CREATE INDEX inspections_waiting ON inspections (seq) WHERE record = 'waiting';
