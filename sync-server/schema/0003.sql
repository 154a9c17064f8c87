-- Models that traps may fetch, and which trap is to use which. What a trap
-- makes of an offer stands in its heartbeats, not here.

-- The files lie in DATA/models, each named by its SHA-256.
CREATE TABLE models (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    manifest_sha256 BLOB NOT NULL UNIQUE CHECK (length(manifest_sha256) = 32),
    manifest_size_bytes INTEGER NOT NULL,
    -- The card that it was taught on, for people; empty when its manifest does not say.
    card TEXT NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX models_by_content ON models (sha256);

-- At most one offer stands for a trap.
CREATE TABLE model_offers (
    trap INTEGER PRIMARY KEY REFERENCES traps (number),
    model INTEGER NOT NULL REFERENCES models (number),
    offered_ms INTEGER NOT NULL
) STRICT;
