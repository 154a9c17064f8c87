//! Insects followed from picture to picture: what the follower knows, and the
//! tracks that it tells of, written with the inspection that they come from.
//!
//! The follower itself lives above this crate. It counts tracks from 1 and
//! pictures from 0 on its own; the ledger adds its bases, so that a follower
//! that had to start anew never takes a number that was given before.

use crate::error::{Halt, StoreError};
use crate::ledger::View;
use crate::ledger::inspect::NewInspection;
use crate::ledger::rows::{TRACK_COLUMNS, digest};
use crate::ledger::text::clip;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use trapline_wire::v1::{ModelRef, TrackBox, TrackEnd, TrackOrigin, TrackRecord};
use trapline_wire::{CaptureId, Sha256, TrackId};

/// One insect as the follower sees it now, in the follower's own numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackNow {
    /// Its number, from 1.
    pub number: u64,
    /// The picture that first showed it.
    pub first: u64,
    /// The picture that last showed it.
    pub last: u64,
    /// The picture that showed it best.
    pub best: u64,
    /// Where it is there.
    pub best_box: TrackBox,
    /// Confidence there.
    pub score: f32,
    /// Class there.
    pub class: String,
    /// Pictures that showed it.
    pub seen: u32,
    /// Where it came from; what was told first holds.
    pub origin: TrackOrigin,
    /// Whether it counts.
    pub is_confirmed: bool,
    /// The track that it could be.
    pub could_be: Option<u64>,
    /// How it ended.
    pub end: Option<TrackEnd>,
}

/// What the follower made of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    /// It started anew with this picture: tracks that were open are lost.
    pub is_anew: bool,
    /// Number of the picture, from 0.
    pub frame: u64,
    /// The picture shows another card than the one before.
    pub is_new_card: bool,
    /// The tracks that it saw or ended.
    pub tracks: Vec<TrackNow>,
    /// All that it must know for the next picture.
    pub state: Vec<u8>,
    /// What it must know as long as the same card hangs, if that is another than before: too much to be written with
    /// each picture.
    pub of_card: Option<Vec<u8>>,
}

/// What the follower knew after the last picture that it was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// That picture; only later ones may follow.
    pub capture: CaptureId,
    /// The model that looked at it.
    pub model_sha256: Sha256,
    /// As [`Following::state`].
    pub state: Vec<u8>,
    /// As [`Following::of_card`], empty when nothing was written yet.
    pub of_card: Vec<u8>,
}

impl View {
    /// What the follower knew last, `None` when there was none.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn followed(&self) -> Result<Option<Followed>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT capture, model_sha256, state, coalesce(of_card, x'')
                 FROM follower LEFT JOIN follower_card USING (only) WHERE only = 1",
            )?;
            let found = statement.query_row([], |row| {
                Ok(Followed {
                    capture: self.capture_id(row.get(0)?),
                    model_sha256: digest(row, 1)?,
                    state: row.get(2)?,
                    of_card: row.get(3)?,
                })
            });
            Ok(found.optional()?)
        })
    }

    /// One track, `None` when this ledger has none of that id.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn track(&self, id: TrackId) -> Result<Option<TrackRecord>, StoreError> {
        if id != self.track_id(id.seq) {
            return Ok(None);
        }
        self.read(|connection| {
            let sql = format!("SELECT {TRACK_COLUMNS} FROM tracks WHERE seq = ?1");
            let mut statement = connection.prepare(&sql)?;
            let found = statement.query_row([id.seq], |row| self.track_record(row));
            Ok(found.optional()?)
        })
    }
}

/// The bases of the follower's numbers, and the card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    tracks: u64,
    frames: u64,
    card: u32,
}

impl Place {
    /// The picture's number in the ledger.
    pub(super) fn frame(&self, frame: u64) -> u64 {
        self.frames.saturating_add(frame)
    }

    /// The track's number in the ledger.
    pub(super) fn track(&self, number: u64) -> Option<u64> {
        self.tracks.checked_add(number)
    }
}

/// Finds the bases, closing what a lost follower left open. Refuses a picture
/// that does not come after the last one, because it would count twice.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    capture: CaptureId,
    following: &Following,
) -> Result<Place, Halt> {
    let known = transaction
        .query_row(
            "SELECT track_base, frame_base, card, capture FROM follower WHERE only = 1",
            [],
            |row| {
                let place = Place {
                    tracks: row.get(0)?,
                    frames: row.get(1)?,
                    card: row.get(2)?,
                };
                Ok((place, row.get::<_, u64>(3)?))
            },
        )
        .optional()?;
    if known.as_ref().is_some_and(|(_, last)| capture.seq <= *last) {
        return Err(Halt::Rule(StoreError::Refused {
            what: format!("capture {capture}"),
            reason: "insects were followed past it already".to_owned(),
        }));
    }
    let mut place = match known {
        Some((place, _)) if !following.is_anew => place,
        known => {
            transaction.execute(
                "UPDATE tracks SET end = 'lost', revision = revision + 1,
                     record = CASE record WHEN 'refused' THEN 'refused' ELSE 'waiting' END
                 WHERE end IS NULL",
                [],
            )?;
            let number = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, u64>(0));
            Place {
                tracks: number("SELECT coalesce(max(seq), 0) FROM tracks")?,
                frames: number("SELECT coalesce(max(frame) + 1, 0) FROM inspections")?,
                card: known.map_or(1, |(place, _)| place.card),
            }
        }
    };
    place.card = place.card.saturating_add(u32::from(following.is_new_card));
    Ok(place)
}

/// Writes what the follower made of the picture; its inspection is there already.
pub(super) fn finish(
    transaction: &Transaction<'_>,
    capture: CaptureId,
    place: Place,
    inspection: &NewInspection,
    following: &Following,
) -> Result<(), Halt> {
    for track in &following.tracks {
        tell(transaction, capture, place, &inspection.model, track)?;
    }
    transaction.execute(
        "INSERT INTO follower (only, state, track_base, frame_base, card, capture,
                               model, model_sha256)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (only) DO UPDATE SET
             state = excluded.state, track_base = excluded.track_base,
             frame_base = excluded.frame_base, card = excluded.card,
             capture = excluded.capture, model = excluded.model,
             model_sha256 = excluded.model_sha256",
        params![
            following.state,
            place.tracks,
            place.frames,
            place.card,
            capture.seq,
            clip(&inspection.model.id),
            inspection.model.sha256.as_bytes(),
        ],
    )?;
    if let Some(of_card) = &following.of_card {
        transaction.execute(
            "INSERT INTO follower_card (only, of_card) VALUES (1, ?1)
             ON CONFLICT (only) DO UPDATE SET of_card = excluded.of_card",
            [of_card],
        )?;
    }
    Ok(())
}

/// What was last told of a track.
struct Told {
    seen: u32,
    is_confirmed: bool,
    end: Option<String>,
    could_be: Option<u64>,
}

/// Tells a track if that is worth a record: a card full of insects that only
/// sit there must not be sent again after each picture.
fn tell(
    transaction: &Transaction<'_>,
    capture: CaptureId,
    place: Place,
    model: &ModelRef,
    track: &TrackNow,
) -> Result<(), Halt> {
    let seq = place.tracks.saturating_add(track.number);
    let could_be = track
        .could_be
        .map(|number| place.tracks.saturating_add(number));
    let end = track.end.map(TrackEnd::word);
    let told = told(transaction, seq)?;
    let is_worth = told.as_ref().is_none_or(|told| {
        told.is_confirmed != track.is_confirmed
            || told.end.as_deref() != end
            || told.could_be != could_be
            || track.seen >= told.seen.saturating_mul(2)
    });
    if !is_worth {
        return Ok(());
    }
    let at = |frame: u64| capture_of(transaction, place.frame(frame), capture);
    let threshold = model.threshold;
    transaction.execute(
        "INSERT INTO tracks (seq, revision, first, last, best, x_px, y_px, width_px, height_px,
                             score, class, model, model_sha256, model_threshold, seen, card,
                             origin, is_confirmed, could_be, end)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19)
         ON CONFLICT (seq) DO UPDATE SET
             revision = revision + 1, last = excluded.last, best = excluded.best,
             x_px = excluded.x_px, y_px = excluded.y_px,
             width_px = excluded.width_px, height_px = excluded.height_px,
             score = excluded.score, class = excluded.class, model = excluded.model,
             model_sha256 = excluded.model_sha256, model_threshold = excluded.model_threshold,
             seen = excluded.seen, is_confirmed = excluded.is_confirmed,
             could_be = excluded.could_be, end = excluded.end, record = 'waiting'",
        params![
            seq,
            at(track.first)?,
            at(track.last)?,
            at(track.best)?,
            track.best_box.x_px,
            track.best_box.y_px,
            track.best_box.width_px,
            track.best_box.height_px,
            track.score,
            clip(&track.class),
            clip(&model.id),
            model.sha256.as_bytes(),
            if threshold.is_finite() {
                threshold
            } else {
                1.0
            },
            track.seen,
            place.card,
            track.origin.word(),
            track.is_confirmed,
            could_be,
            end,
        ],
    )?;
    // The server takes no track of a capture that it refused.
    transaction.execute(
        "UPDATE tracks SET record = 'refused', refusal = 'one of its captures was refused'
         WHERE seq = ?1 AND EXISTS (
             SELECT 1 FROM captures
             WHERE captures.seq IN (tracks.first, tracks.last, tracks.best)
               AND captures.record = 'refused')",
        [seq],
    )?;
    Ok(())
}

fn told(connection: &Connection, seq: u64) -> Result<Option<Told>, Halt> {
    let mut statement = connection
        .prepare("SELECT seen, is_confirmed, end, could_be FROM tracks WHERE seq = ?1")?;
    let read = |row: &Row<'_>| {
        Ok(Told {
            seen: row.get(0)?,
            is_confirmed: row.get(1)?,
            end: row.get(2)?,
            could_be: row.get(3)?,
        })
    };
    Ok(statement.query_row([seq], read).optional()?)
}

/// The capture of a picture's number; `current` when nothing is known of it.
fn capture_of(connection: &Connection, frame: u64, current: CaptureId) -> Result<u64, Halt> {
    let mut statement = connection.prepare("SELECT capture FROM inspections WHERE frame = ?1")?;
    let found = statement.query_row([frame], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(current.seq))
}
