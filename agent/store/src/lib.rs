//! The ledger of a trap: SQLite rows and picture files that survive a power cut.
//!
//! A trap is switched off without warning, on a cheap card, far from anyone.
//! The ledger is its one memory and its only queue: a stage takes the next row
//! in some state, works, and moves it to the next state in one transaction.
//! Nothing waits anywhere else, so a crash is nothing special.
//!
//! # What it promises
//!
//! 1. When [`Ledger::admit`] returns an id, the picture, its readings and its
//!    row survive the next second.
//! 2. Every planned shot ends as done or as missed with a reason, exactly once.
//! 3. A picture leaves the card only after the server proved, by a SHA-256 that
//!    it computed itself, that it holds the same bytes.
//! 4. An id is never given twice, and captures are numbered without gaps.
//! 5. What the card has spoilt is said, with its reason, and never sent or
//!    counted as an empty picture.
//!
//! `tests/it/crash.rs` cuts the power at every operation of a day, and of the
//! recovery from that, and loses what was not synced in nine ways.
//!
//! # On the card
//!
//! ```text
//! DIR/ledger.sqlite                        the rows (with -wal and -shm while open)
//! DIR/look-memory.bin                      what the detector remembers, between a stop and a start
//! DIR/ledger.lock                          held by the agent that has it open
//! DIR/pictures/0/7f3a9c21-00000042.jpg     one picture; a new folder every 1000
//! DIR/pictures/tmp/….part                  being written; removed at the next start
//! DIR/set_aside/000001-7f3a9c21-….jpg      written, but never admitted; see below
//! DIR/models/…/manifest.toml               a model that the server offered; see `model_files`
//! DIR/ledger.damaged-1.sqlite              set aside by `set_database_aside`
//! DIR/trial/…                              a copy that new software is tried on; gone at its end
//! ```
//!
//! # Two orders, never the other way round
//!
//! - **Admit: file first, row second.** Write `….part`, sync the file, rename
//!   it, sync the folder, then commit reading, capture and effort together. A
//!   cut in between leaves a file without a row, which was promised to nobody.
//! - **Prune: row first, file second.** A cut in between leaves a file whose row
//!   says `pruned`, and the next start removes it.
//!
//! SQLite runs with a write-ahead log and `synchronous = FULL`: a commit returns
//! when it is on the card.
//!
//! # States
//!
//! A capture is in one state of each column; the columns move on their own.
//!
//! | column | state | means | leaves it by |
//! |---|---|---|---|
//! | record | `waiting` | the server may not have the record | [`Ledger::mark_records_stored`] → `stored` or `refused` |
//! | | `stored` | the server said that it has it | – |
//! | | `refused` | the server will never take it; the reason is kept | – |
//! | picture | `on_card` | this card holds the only proven copy | a matching receipt → `safe`; found spoilt → `damaged` |
//! | | `damaged` | missing or not the admitted bytes; the reason is kept | a matching receipt → `safe` |
//! | | `safe` | the server proved that it has the bytes | [`Ledger::prune`] → `pruned`, once the record is `stored` |
//! | | `pruned` | only the server has it | – |
//! | inspection | `fresh` | waits for the detector | [`Ledger::record_detections`] → `seen`; [`Ledger::give_up`] → `gave_up` |
//! | | `seen` | the whole picture was looked at | – |
//! | | `gave_up` | it cannot be looked at, which is not "no insects" | – |
//!
//! Readings, inspections, tracks and effort rows have the column `record` alone; a
//! track that is told again waits again, and a reply to an older revision of it
//! does not count. What the follower of insects knows is one row, written with
//! the inspection of the picture that it has just seen, so both survive or neither. A row
//! of the effort ledger is `open` from [`Ledger::open_shot`] until it is `done`
//! ([`Ledger::admit`]) or `missed` ([`Ledger::miss`]); the next start closes one
//! that is still open as missed, reason `cut`. A picture is offered to the
//! server ([`Ledger::next_picture`]) when it is `on_card` and its record
//! `stored`. A picture of a `refused` record stays on the card: a person decides.
//!
//! The permission to make a transition is a token ([`Planned`], [`Fresh`],
//! [`Sendable`]) that only the ledger makes and the transition uses up.
//!
//! The table of offered models stands in `ledger/models.rs`. What a technician told
//! of the spot is in `deployments`, each time a new row, and is not sent yet.
//!
//! # Recovery
//!
//! [`Ledger::open`] removes unfinished files, closes shots that were cut off,
//! and compares names and sizes of the pictures with the rows: half-done prunes
//! are finished; an `on_card` picture that is missing or has another size is
//! `damaged`; a `safe` one that is missing is `pruned`. A picture without a row
//! was never admitted: it moves to `set_aside`, which keeps the newest 50 files
//! and 256 MiB, for a person to look at. Files of other ledgers and other names
//! are counted and left alone. Hashes are compared later, when a picture is
//! taken up, so a start stays quick. Each step can be cut off and done again.
//!
//! # What is absent
//!
//! No clock (`now` is an argument), no randomness (the id of a new ledger is an
//! argument), no async, no network, no `std::fs` writes outside `disk.rs`.

#![warn(missing_docs)]

pub mod disk;
mod error;
mod image_files;
mod ledger;
mod model_files;
mod recover;
mod tokens;

pub use disk::{Disk, OsDisk};
pub use error::{Cause, Returned, StoreError};
pub use ledger::{
    BatchLimits, CaptureRow, Deployment, DeploymentFacts, EffortRow, Followed, Following, Found,
    Held, InspectionRow, InspectionState, LastCapture, Ledger, ModelRow, ModelStage, ModelStep,
    NewCapture, NewInspection, NewReading, Outgoing, PassOver, PictureOrder, PictureState, Place,
    PlaceSource, Prunable, ReadingRow, RecordState, SPOT_BYTES_MAX, Span, Summary, TrackNow,
    TrackRow, Upgrade, Usage, View, Worth, set_database_aside,
};
pub use model_files::{Assembled, ModelFile};
pub use recover::Recovery;
pub use tokens::{Fresh, NextPicture, Planned, Sendable};
