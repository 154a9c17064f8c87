-- Insects that are followed from picture to picture.

-- One insect, as it was last told; `revision` counts how often that was.
CREATE TABLE tracks (
    seq INTEGER NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    first INTEGER NOT NULL REFERENCES captures (seq),
    last INTEGER NOT NULL REFERENCES captures (seq),
    best INTEGER NOT NULL REFERENCES captures (seq),
    x_px REAL NOT NULL,
    y_px REAL NOT NULL,
    width_px REAL NOT NULL,
    height_px REAL NOT NULL,
    score REAL NOT NULL,
    class TEXT NOT NULL,
    model TEXT NOT NULL,
    model_sha256 BLOB NOT NULL CHECK (length(model_sha256) = 32),
    model_threshold REAL NOT NULL,
    seen INTEGER NOT NULL,
    card INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('arrived', 'present')),
    is_confirmed INTEGER NOT NULL CHECK (is_confirmed IN (0, 1)),
    could_be INTEGER,
    end TEXT CHECK (end IN ('gone', 'card_changed', 'lost')),
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX tracks_waiting ON tracks (seq) WHERE record = 'waiting';
CREATE INDEX tracks_open ON tracks (seq) WHERE end IS NULL;
CREATE INDEX tracks_arrived ON tracks (first) WHERE origin = 'arrived';

-- What the follower of insects knows after the last picture that it was shown:
-- written with that picture's inspection or not at all. It counts tracks and
-- pictures on its own from 1; the two bases make ledger numbers of them.
CREATE TABLE follower (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    state BLOB NOT NULL,
    track_base INTEGER NOT NULL,
    frame_base INTEGER NOT NULL,
    card INTEGER NOT NULL,
    capture INTEGER NOT NULL REFERENCES captures (seq),
    model TEXT NOT NULL,
    model_sha256 BLOB NOT NULL CHECK (length(model_sha256) = 32)
) STRICT;

-- The number of a picture that was shown to the follower.
ALTER TABLE inspections ADD COLUMN frame INTEGER;
-- The picture proves no absence.
ALTER TABLE inspections ADD COLUMN is_poor INTEGER NOT NULL DEFAULT 0 CHECK (is_poor IN (0, 1));

CREATE UNIQUE INDEX inspections_by_frame ON inspections (frame) WHERE frame IS NOT NULL;
