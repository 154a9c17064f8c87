-- Names that the ledger took after it was found to be a copy: from these numbers
-- on its records are called by the new name, so that two copies never give one
-- name to two records.
CREATE TABLE names (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    captures_from INTEGER NOT NULL,
    effort_from INTEGER NOT NULL,
    readings_from INTEGER NOT NULL,
    tracks_from INTEGER NOT NULL,
    taken_unix_ms INTEGER NOT NULL
) STRICT;
