//! Tracks: stored by revision, read by time, and counted as arrivals.

use super::reading::{Bounds, Cursor, Window, capture_id, of_trap};
use super::{Db, parse, text_of, traps};
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use std::collections::BTreeSet;
use trapline_wire::arrivals::{self, Arrival, Count, Interval, Look};
use trapline_wire::read::{PictureState, TrackRow};
use trapline_wire::v1::{EffortRecord, RefusalReason, TrackOrigin, TrackRecord};
use trapline_wire::{CaptureId, TrapId};

/// Which tracks, and from where on.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrackFilter {
    pub(crate) trap: Option<i64>,
    /// `<ledger>-<number>`.
    pub(crate) card: Option<String>,
    pub(crate) arrived: Option<bool>,
}

/// A track with what lists and files say of it.
pub(crate) struct TrackListed {
    pub(crate) number: i64,
    pub(crate) trap_number: i64,
    pub(crate) trap_name: String,
    pub(crate) row: TrackRow,
}

impl TrackListed {
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            time_ms: self.row.first_ms,
            number: self.number,
        }
    }
}

/// Arrivals of one trap and the models that found them.
pub(crate) struct Counted {
    pub(crate) intervals: Vec<Interval>,
    /// All of it as one interval.
    pub(crate) total: Option<Count>,
    pub(crate) models: Vec<String>,
}

const COLUMNS: &str = "tracks.number, tracks.trap, traps.id, traps.name, tracks.record,
    tracks.first_ms, first.record -> '$.stamp.quality', last.taken_ms, pictures.readable";
const JOINS: &str = "CROSS JOIN traps ON traps.number = tracks.trap
    CROSS JOIN captures AS first ON first.number = tracks.first
    CROSS JOIN captures AS last ON last.number = tracks.last
    CROSS JOIN captures AS best ON best.number = tracks.best
    LEFT JOIN pictures ON pictures.trap = tracks.trap AND pictures.sha256 = best.sha256";

/// Stores a track; `Some` is why not. An older revision than the stored one
/// changes nothing and counts as stored.
pub(super) fn store(
    connection: &Connection,
    trap: i64,
    record: &TrackRecord,
) -> Result<Option<(RefusalReason, &'static str)>, Failure> {
    let id = record.id.to_string();
    let known = connection
        .prepare_cached("SELECT revision, record FROM tracks WHERE trap = :trap AND id = :id")?
        .query_row(named_params! { ":trap": trap, ":id": id }, |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    if let Some((revision, text)) = known {
        if revision > record.revision {
            return Ok(None);
        }
        if revision == record.revision {
            let is_same = parse::<TrackRecord>(&text)? == *record;
            let conflict = (
                RefusalReason::Conflict,
                "this revision is known with another content",
            );
            return Ok((!is_same).then_some(conflict));
        }
    }
    let capture = |id: CaptureId| {
        connection
            .prepare_cached(
                "SELECT number, taken_ms FROM captures WHERE trap = :trap AND id = :id",
            )?
            .query_row(
                named_params! { ":trap": trap, ":id": id.to_string() },
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )
            .optional()
    };
    let found = (
        capture(record.first)?,
        capture(record.last)?,
        capture(record.best)?,
    );
    let (Some((first, first_ms)), Some((last, _)), Some((best, _))) = found else {
        return Ok(Some((
            RefusalReason::UnknownCapture,
            "send its captures first, in this batch or an earlier one",
        )));
    };
    let may_count = record.is_confirmed || record.end.is_none();
    connection
        .prepare_cached(
            "INSERT INTO tracks (trap, id, revision, first, last, best, first_ms, card,
                                 arrived, record)
             VALUES (:trap, :id, :revision, :first, :last, :best, :first_ms, :card,
                     :arrived, :record)
             ON CONFLICT (trap, id) DO UPDATE SET
                 revision = excluded.revision, first = excluded.first, last = excluded.last,
                 best = excluded.best, first_ms = excluded.first_ms, card = excluded.card,
                 arrived = excluded.arrived, record = excluded.record",
        )?
        .execute(named_params! {
            ":trap": trap,
            ":id": id,
            ":revision": record.revision,
            ":first": first,
            ":last": last,
            ":best": best,
            ":first_ms": first_ms,
            ":card": card_name(record),
            ":arrived": record.origin == TrackOrigin::Arrived && may_count,
            ":record": text_of(record)?,
        })?;
    Ok(None)
}

/// The card's name, unique on its trap.
pub(crate) fn card_name(record: &TrackRecord) -> String {
    format!("{}-{}", record.id.ledger, record.card)
}

impl Db {
    /// At most `limit` tracks by the time of their first picture, oldest first.
    pub(crate) fn tracks(
        &self,
        filter: &TrackFilter,
        window: Window,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<TrackListed>, Failure> {
        let index = match (filter.trap, &filter.card, filter.arrived) {
            (None, _, _) => "tracks_by_time",
            (Some(_), Some(_), _) => "tracks_by_card",
            (Some(_), None, Some(true)) => "tracks_arrived_by_trap",
            (Some(_), None, _) => "tracks_by_trap",
        };
        let arrived = match filter.arrived {
            None => "",
            Some(true) => "AND tracks.arrived = 1",
            Some(false) => "AND tracks.arrived = 0",
        };
        let card = match filter.card {
            None => ":card IS NULL",
            Some(_) => "tracks.card = :card",
        };
        let of_trap = of_trap("tracks", filter.trap);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM tracks INDEXED BY {index} {JOINS}
             WHERE {of_trap} AND {card} {arrived}
               AND (tracks.first_ms, tracks.number) >= (:low_ms, :low)
               AND (tracks.first_ms, tracks.number) < (:high_ms, :high)
             ORDER BY tracks.first_ms, tracks.number LIMIT :limit"
        ))?;
        let bounds = Bounds::of(window, after, false);
        let mut params = bounds.params(&filter.trap, &limit).to_vec();
        params.push((":card", &filter.card));
        let rows = statement.query_and_then(&params[..], listed)?;
        rows.collect()
    }

    /// One track.
    pub(crate) fn track(&self, trap: &TrapId, id: &str) -> Result<Option<TrackListed>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM tracks {JOINS}
             WHERE tracks.trap = (SELECT number FROM traps WHERE id = :trap) AND tracks.id = :id"
        ))?;
        let mut rows = statement
            .query_and_then(named_params! { ":trap": trap.as_str(), ":id": id }, listed)?;
        rows.next().transpose()
    }

    /// Numbers of the tracks that arrived in one capture, in its own ledger's count.
    pub(crate) fn arrived_in(&self, trap: i64, capture: Cursor) -> Result<Vec<u64>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM tracks INDEXED BY tracks_arrived_by_trap
             WHERE trap = :trap AND first_ms = :first_ms AND arrived = 1 AND first = :first
             ORDER BY number",
        )?;
        let rows = statement.query_and_then(
            named_params! {
                ":trap": trap, ":first_ms": capture.time_ms, ":first": capture.number
            },
            |row| parse::<TrackRecord>(&row.get::<_, String>(0)?),
        )?;
        rows.map(|track| Ok(track?.id.seq)).collect()
    }

    /// Captures of a trap from one time to another that were looked at, oldest first.
    pub(crate) fn looked_at(
        &self,
        trap: i64,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<CaptureId>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM captures INDEXED BY captures_inspected_by_trap
             WHERE trap = :trap AND insects IS NOT NULL AND taken_ms BETWEEN :from AND :to
             ORDER BY taken_ms, number",
        )?;
        let rows = statement.query_and_then(
            named_params! { ":trap": trap, ":from": from_ms, ":to": to_ms },
            |row| capture_id(&row.get::<_, String>(0)?),
        )?;
        rows.collect()
    }

    /// Arrivals of a trap in `length` intervals of `step_ms` from `from_ms` on.
    pub(crate) fn arrivals(
        &self,
        trap: i64,
        from_ms: i64,
        step_ms: i64,
        length: usize,
    ) -> Result<Counted, Failure> {
        let steps = i64::try_from(length).unwrap_or(i64::MAX);
        let until_ms = from_ms.saturating_add(step_ms.saturating_mul(steps));
        // From the last good look before to the first one after, because an
        // arrival there may have come here.
        let begin_ms = self.good_look(trap, "taken_ms < :at ORDER BY taken_ms DESC", from_ms)?;
        let end_ms = self.good_look(trap, "taken_ms >= :at ORDER BY taken_ms", until_ms)?;
        let (begin_ms, end_ms) = (begin_ms.unwrap_or(from_ms), end_ms.unwrap_or(until_ms));
        let looks = self.looks(trap, begin_ms, end_ms)?;
        let filter = TrackFilter {
            trap: Some(trap),
            card: None,
            arrived: Some(true),
        };
        let window = Window {
            from_ms: begin_ms,
            until_ms: end_ms.saturating_add(1),
        };
        let tracks = self.tracks(&filter, window, None, u32::MAX)?;
        let came: Vec<Arrival> = tracks
            .iter()
            .map(|listed| Arrival {
                first_ms: listed.row.first_ms,
                clock: listed.row.first_clock,
                is_confirmed: listed.row.track.is_confirmed,
                may_be_known: listed.row.track.could_be.is_some(),
            })
            .collect();
        let models: BTreeSet<String> = tracks
            .into_iter()
            .map(|listed| listed.row.track.model.id)
            .collect();
        let whole = arrivals::count(from_ms, until_ms.saturating_sub(from_ms), 1, &looks, &came);
        Ok(Counted {
            total: whole.first().and_then(|interval| interval.arrivals),
            intervals: arrivals::count(from_ms, step_ms, length, &looks, &came),
            models: models.into_iter().collect(),
        })
    }

    /// When a trap was first and last looked at.
    pub(crate) fn looked_span(&self, trap: i64) -> Result<Option<(i64, i64)>, Failure> {
        let span = self
            .connection
            .prepare_cached(
                "SELECT min(taken_ms), max(taken_ms) FROM captures
                 WHERE trap = :trap AND insects IS NOT NULL",
            )?
            .query_row(named_params! { ":trap": trap }, |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
            })?;
        Ok(span.0.zip(span.1))
    }

    /// The next trap after one, for files about all of them.
    pub(crate) fn trap_after(&self, number: i64) -> Result<Option<(i64, String, String)>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT number, id, name FROM traps WHERE number > :after
                 ORDER BY number LIMIT 1",
            )?
            .query_row(named_params! { ":after": number }, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?)
    }

    fn good_look(&self, trap: i64, which: &str, at_ms: i64) -> Result<Option<i64>, Failure> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT taken_ms FROM captures INDEXED BY captures_good_by_trap
                 WHERE trap = :trap AND insects IS NOT NULL AND poor = 0 AND {which} LIMIT 1"
            ))?
            .query_row(named_params! { ":trap": trap, ":at": at_ms }, |row| {
                row.get(0)
            })
            .optional()?)
    }

    fn looks(&self, trap: i64, begin_ms: i64, end_ms: i64) -> Result<Vec<Look>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT taken_ms, insects IS NOT NULL AND poor = 0
             FROM captures INDEXED BY captures_by_trap
             WHERE trap = :trap AND taken_ms BETWEEN :begin AND :end
               AND (insects IS NOT NULL OR gave_up IS NOT NULL)",
        )?;
        let window = named_params! { ":trap": trap, ":begin": begin_ms, ":end": end_ms };
        let rows = statement.query_map(window, |row| {
            Ok(Look {
                at_ms: row.get(0)?,
                is_good: row.get(1)?,
            })
        })?;
        let mut looks: Vec<Look> = rows.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM effort INDEXED BY effort_missed
             WHERE trap = :trap AND missed = 1 AND last_due_ms >= :begin AND due_ms <= :end",
        )?;
        let rows = statement.query_and_then(window, |row| {
            parse::<EffortRecord>(&row.get::<_, String>(0)?)
        })?;
        for missed in rows {
            let missed = missed?;
            looks.extend(arrivals::missed(
                missed.due_ms,
                missed.last_due_ms,
                missed.shots,
            ));
        }
        looks.sort_by_key(|look| look.at_ms);
        Ok(looks)
    }
}

fn listed(row: &Row<'_>) -> Result<TrackListed, Failure> {
    Ok(TrackListed {
        number: row.get(0)?,
        trap_number: row.get(1)?,
        trap_name: row.get(3)?,
        row: TrackRow {
            trap: traps::trap_id(&row.get::<_, String>(2)?)?,
            track: parse(&row.get::<_, String>(4)?)?,
            first_ms: row.get(5)?,
            first_clock: parse(&row.get::<_, String>(6)?)?,
            last_ms: row.get(7)?,
            best_picture: match row.get::<_, Option<bool>>(8)? {
                None => PictureState::OnTrap,
                Some(true) => PictureState::Stored,
                Some(false) => PictureState::Unreadable,
            },
        },
    })
}
