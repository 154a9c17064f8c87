//! Shots: every planned one ends as done or missed, and a done one has its picture.

mod insert;

use crate::error::{Halt, Returned, StoreError};
use crate::image_files;
use crate::ledger::quality::Worth;
use crate::ledger::text::{clip, clip_stamp};
use crate::ledger::{Ledger, View};
use crate::tokens::Planned;
use insert::{Slots, insert_capture, insert_effort, insert_reading};
use rusqlite::{Transaction, params};
use trapline_wire::limits::PICTURE_BYTES_MAX;
use trapline_wire::v1::{CaptureSource, MissReason, ShotCause, ShotFacts, Stamp};
use trapline_wire::{CaptureId, EffortId, ReadingId, Sha256};

/// A picture that was just taken, before it has a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCapture {
    /// When the shutter closed.
    pub stamp: Stamp,
    /// Where the picture comes from.
    pub source: CaptureSource,
    /// Width, or `None` when the header cannot be read.
    pub width_px: Option<u32>,
    /// Height, or `None` when the header cannot be read.
    pub height_px: Option<u32>,
    /// The readings taken with it.
    pub reading: Option<NewReading>,
    /// Why it was taken.
    pub cause: ShotCause,
    /// How it was taken, as far as the camera says.
    pub shot: ShotFacts,
    /// What it is worth.
    pub worth: Worth,
}

/// Sensor readings of one moment; a sensor that failed or is absent is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReading {
    /// When it was read.
    pub stamp: Stamp,
    /// Air temperature, degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Relative humidity, percent.
    pub humidity_percent: Option<f64>,
    /// Illuminance, lux.
    pub light_lux: Option<f64>,
    /// Battery voltage, volts.
    pub battery_v: Option<f64>,
}

/// Planned shots in a row, as after a week without power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When the first was due, believed UTC in milliseconds.
    pub due_ms: i64,
    /// When the last was due.
    pub last_due_ms: i64,
    /// How many they are, at least 1.
    pub shots: u32,
}

impl Ledger {
    /// Opens a shot that was due at `due_ms`, before the camera is touched: if
    /// the power fails now, the next start knows that a shot was cut off.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn open_shot(&mut self, due_ms: i64, now: &Stamp) -> Result<Planned, StoreError> {
        let slots = Slots {
            span: Span {
                due_ms,
                last_due_ms: due_ms,
                shots: 1,
            },
            outcome: "open",
            reason: "",
        };
        let seq = self.write(|transaction| insert_effort(transaction, &slots, "", now))?;
        Ok(Planned {
            id: self.effort_id(seq),
            due_ms,
        })
    }

    /// Admits the picture of an open shot: when this returns an id, picture,
    /// reading and row survive a power cut, and the shot is done.
    ///
    /// The file is written and synced first; reading, capture and effort are
    /// then committed together.
    ///
    /// # Errors
    /// Gives the shot back, so that it can be missed with a reason:
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses, [`Refused`](StoreError::Refused) when the picture is empty or
    /// over [`PICTURE_BYTES_MAX`]. No picture is left behind.
    pub fn admit(
        &mut self,
        planned: Planned,
        capture: NewCapture,
        jpeg: &[u8],
    ) -> Result<CaptureId, Returned<Planned>> {
        match self.try_admit(&planned, &capture, jpeg) {
            Ok(id) => Ok(id),
            Err(error) => Err(Returned {
                token: planned,
                error,
            }),
        }
    }

    fn try_admit(
        &mut self,
        planned: &Planned,
        capture: &NewCapture,
        jpeg: &[u8],
    ) -> Result<CaptureId, StoreError> {
        let size_bytes = u64::try_from(jpeg.len()).unwrap_or(u64::MAX);
        if size_bytes == 0 || size_bytes > PICTURE_BYTES_MAX {
            return Err(StoreError::Refused {
                what: format!("the picture of shot {}", planned.id),
                reason: format!("{size_bytes} bytes, 1 to {PICTURE_BYTES_MAX} are possible"),
            });
        }
        self.settle()?;
        let id = self.next_capture_id()?;
        image_files::write_durably(self.disk(), self.layout(), id, jpeg)?;
        let sha256 = Sha256::of(jpeg);
        let admitted = self.write(|transaction| {
            let reading = match &capture.reading {
                Some(reading) => Some(insert_reading(transaction, reading)?),
                None => None,
            };
            insert_capture(transaction, id, capture, (sha256, size_bytes), reading)?;
            close_shot(transaction, planned, |transaction| {
                let stamp = clip_stamp(&capture.stamp);
                transaction
                    .prepare_cached(
                        "UPDATE effort
                         SET outcome = 'done', capture = ?2,
                             unix_ms = ?3, clock = ?4, boot_id = ?5, uptime_ms = ?6
                         WHERE seq = ?1 AND outcome = 'open'",
                    )?
                    .execute(params![
                        planned.id.seq,
                        id.seq,
                        stamp.unix_ms,
                        stamp.quality.word(),
                        stamp.boot_id,
                        stamp.uptime_ms
                    ])
            })
        });
        match admitted {
            Ok(()) => Ok(id),
            Err(error) => {
                let file = self.layout().picture(id);
                self.leave_over(file);
                Err(error)
            }
        }
    }

    /// Closes an open shot that gave no picture; `detail` says why in the
    /// device's or the system's words.
    ///
    /// # Errors
    /// Gives the shot back: [`Full`](StoreError::Full) or
    /// [`Io`](StoreError::Io) when the card refuses. A shot that cannot be
    /// closed at all is closed as cut off at the next start.
    pub fn miss(
        &mut self,
        planned: Planned,
        reason: MissReason,
        detail: &str,
        now: &Stamp,
    ) -> Result<EffortId, Returned<Planned>> {
        let missed = self.write(|transaction| {
            close_shot(transaction, &planned, |transaction| {
                let now = clip_stamp(now);
                transaction.execute(
                    "UPDATE effort
                     SET outcome = 'missed', reason = ?2, detail = ?3,
                         unix_ms = ?4, clock = ?5, boot_id = ?6, uptime_ms = ?7
                     WHERE seq = ?1 AND outcome = 'open'",
                    params![
                        planned.id.seq,
                        reason.word(),
                        clip(detail),
                        now.unix_ms,
                        now.quality.word(),
                        now.boot_id,
                        now.uptime_ms
                    ],
                )
            })
        });
        match missed {
            Ok(()) => Ok(planned.id),
            Err(error) => Err(Returned {
                token: planned,
                error,
            }),
        }
    }

    /// Writes down planned shots that were never opened, as one row.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses, [`Refused`](StoreError::Refused) for a span of no shots.
    pub fn miss_span(
        &mut self,
        span: Span,
        reason: MissReason,
        detail: &str,
        now: &Stamp,
    ) -> Result<EffortId, StoreError> {
        if span.shots == 0 {
            return Err(StoreError::Refused {
                what: format!("missed shots from {} to {}", span.due_ms, span.last_due_ms),
                reason: "a row stands for one shot at least".to_owned(),
            });
        }
        let slots = Slots {
            span,
            outcome: "missed",
            reason: reason.word(),
        };
        let detail = clip(detail);
        let seq = self.write(|transaction| insert_effort(transaction, &slots, &detail, now))?;
        Ok(self.effort_id(seq))
    }

    /// Keeps readings that belong to no picture, as when the camera failed.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn record_reading(&mut self, reading: &NewReading) -> Result<ReadingId, StoreError> {
        let seq = self.write(|transaction| insert_reading(transaction, reading))?;
        Ok(self.reading_id(seq))
    }

    /// Closes every shot that is still open; returns how many there were.
    pub(crate) fn close_cut_shots(&mut self, now: &Stamp) -> Result<u64, StoreError> {
        let open: u64 = self.read(|connection| {
            Ok(connection.query_row(
                "SELECT count(*) FROM effort WHERE record = 'waiting' AND outcome = 'open'",
                [],
                |row| row.get(0),
            )?)
        })?;
        if open == 0 {
            return Ok(0);
        }
        self.write(|transaction| {
            let now = clip_stamp(now);
            transaction.execute(
                "UPDATE effort
                 SET outcome = 'missed', reason = 'cut',
                     detail = 'the agent was cut off during this shot',
                     unix_ms = ?1, clock = ?2, boot_id = ?3, uptime_ms = ?4
                 WHERE record = 'waiting' AND outcome = 'open'",
                params![now.unix_ms, now.quality.word(), now.boot_id, now.uptime_ms],
            )?;
            Ok(())
        })?;
        Ok(open)
    }

    /// The name of the capture that is admitted next, so that it can stand in
    /// its picture file.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn next_capture_id(&self) -> Result<CaptureId, StoreError> {
        let last: u64 = self.read(|connection| {
            // Captures are never deleted, so the newest row has the highest number.
            Ok(
                connection.query_row("SELECT coalesce(max(seq), 0) FROM captures", [], |row| {
                    row.get(0)
                })?,
            )
        })?;
        Ok(self.capture_id(last.saturating_add(1)))
    }
}

impl View {
    /// When the slot was due that was planned last, believed UTC in
    /// milliseconds; `None` before the first shot.
    ///
    /// Last in the order of the ledger, not of the clock: after a clock that
    /// ran ahead was set right, the schedule must not wait for the false time.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn last_due_ms(&self) -> Result<Option<i64>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT last_due_ms FROM effort ORDER BY seq DESC LIMIT 1")?;
            let mut rows = statement.query([])?;
            match rows.next()? {
                Some(row) => Ok(Some(row.get(0)?)),
                None => Ok(None),
            }
        })
    }

    /// File name of the newest replayed capture, so that the folder camera goes on after it.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn last_replayed(&self) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT source_name FROM captures
                 WHERE source = 'replayed' ORDER BY seq DESC LIMIT 1",
            )?;
            let mut rows = statement.query([])?;
            match rows.next()? {
                Some(row) => Ok(Some(row.get(0)?)),
                None => Ok(None),
            }
        })
    }

    /// How many captures were replayed; reads the whole ledger.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn replayed(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            Ok(connection.query_row(
                "SELECT count(*) FROM captures WHERE source = 'replayed'",
                [],
                |row| row.get(0),
            )?)
        })
    }
}

/// Runs the one statement that closes a shot and insists that it was open.
fn close_shot(
    transaction: &Transaction<'_>,
    planned: &Planned,
    close: impl FnOnce(&Transaction<'_>) -> Result<usize, rusqlite::Error>,
) -> Result<(), Halt> {
    if close(transaction)? == 1 {
        return Ok(());
    }
    Err(Halt::Rule(StoreError::Refused {
        what: format!("shot {}", planned.id),
        reason: "it is closed already or belongs to another ledger".to_owned(),
    }))
}
