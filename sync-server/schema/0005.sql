-- How traps become known: tokens on cards, traps that ask, and the cards and boots
-- under a trap's key, by which a copy is noticed.

-- A token's secret is known here only as its SHA-256.
CREATE TABLE enrol_tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    token_sha256 BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    -- What the names of traps begin with whose cards name none; '' for none.
    prefix TEXT NOT NULL,
    uses_max INTEGER NOT NULL CHECK (uses_max >= 1),
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0 AND uses <= uses_max),
    made_by TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;

-- One row per key pair that ever asked. A token's use is counted when its row is
-- enrolled, so asking again costs nothing.
CREATE TABLE enrolments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
    key_sha256 BLOB NOT NULL CHECK (length(key_sha256) = 32),
    trap_id TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'enrolled', 'dismissed')),
    trap INTEGER REFERENCES traps (number),
    token INTEGER REFERENCES enrol_tokens (number),
    -- Who accepted or dismissed it; '' where a token did, or nobody yet.
    decided_by TEXT NOT NULL DEFAULT '',
    wished_name TEXT NOT NULL,
    latitude_deg REAL,
    longitude_deg REAL,
    card TEXT NOT NULL,
    board TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    peer TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    CHECK ((state = 'enrolled') = (trap IS NOT NULL))
) STRICT;
CREATE INDEX enrolments_by_state ON enrolments (state, last_ms);
CREATE INDEX enrolments_by_code ON enrolments (code);

-- Cards that spoke with a trap's key: the one that holds it, copies that are parked,
-- and copies that were told to become traps of their own.
CREATE TABLE trap_cards (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    card TEXT NOT NULL,
    board TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('holder', 'parked', 'anew')),
    decided_by TEXT NOT NULL DEFAULT '',
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    -- When another board was last seen under this card.
    moved_ms INTEGER,
    UNIQUE (trap, card)
) STRICT;
CREATE UNIQUE INDEX trap_cards_holder ON trap_cards (trap) WHERE standing = 'holder';

-- Boots that spoke with a trap's key, the newest of each trap.
CREATE TABLE trap_boots (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    trap INTEGER NOT NULL REFERENCES traps (number),
    boot TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    UNIQUE (trap, boot)
) STRICT;

-- Set while two devices speak with this trap's key and nothing tells which is the copy.
ALTER TABLE traps ADD COLUMN parked_ms INTEGER;
-- Card and boot that were last seen, so that most requests need no further look.
ALTER TABLE traps ADD COLUMN seen TEXT NOT NULL DEFAULT '';
