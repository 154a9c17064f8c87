-- The trap measured the picture and found something wrong with it: too dark, blurred, covered, ….
-- What exactly, and how the picture was taken, stands in `record`; older traps don't say it.
ALTER TABLE captures ADD COLUMN flawed INTEGER NOT NULL DEFAULT 0 CHECK (flawed IN (0, 1));
CREATE INDEX captures_flawed ON captures (taken_ms, number) WHERE flawed = 1;
CREATE INDEX captures_flawed_by_trap ON captures (trap, taken_ms, number) WHERE flawed = 1;
