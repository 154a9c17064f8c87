-- Updates of whole traps, and which trap is to install which. What a trap makes
-- of an offer stands in its heartbeats, not here.

-- The bundles lie in DATA/updates, each named by its SHA-256.
CREATE TABLE updates (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    version TEXT NOT NULL UNIQUE,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    size_bytes INTEGER NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT;

-- At most one offer stands for a trap.
CREATE TABLE update_offers (
    trap INTEGER PRIMARY KEY REFERENCES traps (number),
    update_number INTEGER NOT NULL REFERENCES updates (number),
    offered_ms INTEGER NOT NULL
) STRICT;
