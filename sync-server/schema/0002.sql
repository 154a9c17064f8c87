-- Tracks: one insect over all the pictures that show it. `record` is the
-- newest revision as JSON of the wire; the other columns repeat parts of it, so
-- that lists and counts go by an index. `card` is `<ledger>-<number>`.
CREATE TABLE tracks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    first INTEGER NOT NULL REFERENCES captures (number),
    last INTEGER NOT NULL REFERENCES captures (number),
    best INTEGER NOT NULL REFERENCES captures (number),
    first_ms INTEGER NOT NULL,
    card TEXT NOT NULL,
    -- It came while the card was watched, and is confirmed or may still be.
    arrived INTEGER NOT NULL CHECK (arrived IN (0, 1)),
    record TEXT NOT NULL,
    UNIQUE (trap, id)
) STRICT;
CREATE INDEX tracks_by_time ON tracks (first_ms, number);
CREATE INDEX tracks_by_trap ON tracks (trap, first_ms, number);
CREATE INDEX tracks_arrived_by_trap ON tracks (trap, first_ms, number) WHERE arrived = 1;
CREATE INDEX tracks_by_card ON tracks (trap, card, first_ms, number);

-- The newest inspection says that the picture is too poor to prove an absence.
ALTER TABLE captures ADD COLUMN poor INTEGER NOT NULL DEFAULT 0 CHECK (poor IN (0, 1));
CREATE INDEX captures_good_by_trap ON captures (trap, taken_ms) WHERE insects IS NOT NULL AND poor = 0;
