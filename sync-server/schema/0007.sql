-- The answers to the last batches of each trap, so that a trap whose answer was
-- lost asks for it by the batch's SHA-256 and does not send the batch again.

CREATE TABLE batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    reply TEXT NOT NULL
) STRICT;

CREATE INDEX batches_of_trap ON batches (trap, number);
