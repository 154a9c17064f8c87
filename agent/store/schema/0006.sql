-- Where the trap stands, as the technician told it on the trap's own page; an empty text
-- was not told. The photograph comes last, so that reading the rest does not read it.
CREATE TABLE deployments (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    site TEXT NOT NULL,
    bait TEXT NOT NULL,
    notes TEXT NOT NULL,
    technician TEXT NOT NULL,
    height_cm INTEGER,
    facing_deg INTEGER,
    latitude REAL,
    longitude REAL,
    accuracy_m REAL,
    place_from TEXT CHECK (place_from IN ('phone', 'typed')),
    photo BLOB
) STRICT;
