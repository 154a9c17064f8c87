-- Effort rows are never deleted, so the highest number is the last one given, and no table has to remember it: each row
-- costs a page less. Nothing refers to the table, so it is made anew.
CREATE TABLE effort_lean (
    seq INTEGER NOT NULL PRIMARY KEY,
    due_ms INTEGER NOT NULL,
    last_due_ms INTEGER NOT NULL,
    shots INTEGER NOT NULL CHECK (shots >= 1),
    outcome TEXT NOT NULL CHECK (outcome IN ('open', 'done', 'missed')),
    capture INTEGER REFERENCES captures (seq),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    unix_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    record TEXT NOT NULL DEFAULT 'waiting' CHECK (record IN ('waiting', 'stored', 'refused')),
    refusal TEXT NOT NULL DEFAULT '',
    CHECK ((outcome = 'done') = (capture IS NOT NULL)),
    CHECK ((outcome = 'missed') = (reason <> ''))
) STRICT;

INSERT INTO effort_lean
    (seq, due_ms, last_due_ms, shots, outcome, capture, reason, detail,
     unix_ms, clock, boot_id, uptime_ms, record, refusal)
SELECT seq, due_ms, last_due_ms, shots, outcome, capture, reason, detail,
       unix_ms, clock, boot_id, uptime_ms, record, refusal
FROM effort ORDER BY seq;

DROP TABLE effort;
ALTER TABLE effort_lean RENAME TO effort;

CREATE INDEX effort_waiting ON effort (seq) WHERE record = 'waiting';
CREATE INDEX effort_missed ON effort (last_due_ms, reason, shots) WHERE outcome = 'missed';
