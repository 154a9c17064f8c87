-- What is known of each picture: why it was taken, how, and what it is worth.
-- NULL in pictures from before, and where the camera said nothing or nothing could be measured.

ALTER TABLE captures ADD COLUMN cause TEXT CHECK (cause IN ('schedule', 'trigger', 'visit'));
-- Both as JSON of the wire.
ALTER TABLE captures ADD COLUMN shot TEXT;
ALTER TABLE captures ADD COLUMN quality TEXT;
-- A record is sent once, so it waits until its picture was measured or will never be.
ALTER TABLE captures ADD COLUMN is_measured INTEGER NOT NULL DEFAULT 1 CHECK (is_measured IN (0, 1));

CREATE INDEX captures_unmeasured ON captures (seq) WHERE is_measured = 0;
