-- What the follower of insects knows of the card that hangs now. It is large and seldom changes, so it has a row of its
-- own: a row is written whole whenever anything in it is.
CREATE TABLE follower_card (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    of_card BLOB NOT NULL
) STRICT;
