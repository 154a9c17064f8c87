-- Models that the server offered, and how far the trap is with each.

CREATE TABLE models (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    -- Names the model: the same file with other thresholds is another one.
    manifest_sha256 BLOB NOT NULL UNIQUE CHECK (length(manifest_sha256) = 32),
    manifest_size_bytes INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('fetching', 'trying', 'probation', 'in_use', 'kept', 'refused', 'withdrawn')
    ),
    -- Why it was refused.
    reason TEXT NOT NULL DEFAULT '',
    since_ms INTEGER NOT NULL,
    -- Counts up with each offer of another model: the highest is the last offer.
    offered INTEGER NOT NULL,
    -- Times that all bytes came and were not the right ones.
    wrong INTEGER NOT NULL DEFAULT 0,
    -- Trials or looks that were started in this state, and how they ended.
    starts INTEGER NOT NULL DEFAULT 0,
    looks INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    -- The model before it, NULL for the one of the settings.
    before INTEGER REFERENCES models (seq)
) STRICT;

CREATE INDEX models_by_offer ON models (offered);
-- One model looks at new pictures.
CREATE UNIQUE INDEX models_current ON models ((1)) WHERE state IN ('probation', 'in_use');

-- Every change of state, in order.
CREATE TABLE model_steps (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    model INTEGER NOT NULL REFERENCES models (seq),
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    unix_ms INTEGER NOT NULL
) STRICT;
