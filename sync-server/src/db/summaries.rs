//! A trap at a glance, and the whole server in six numbers.

use super::{Db, count, parse, reading, traps};
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, Row, named_params};
use trapline_wire::TrapId;
use trapline_wire::read::TrapSummary;
use trapline_wire::v1::{EffortRecord, Heartbeat};

struct TrapFacts {
    number: i64,
    id: String,
    name: String,
    revoked: bool,
    last_contact_ms: Option<i64>,
    captures: i64,
}

/// What `trapline-server status` says.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Counts {
    /// Traps whose key is in use.
    pub(crate) traps: u64,
    /// Captures known.
    pub(crate) captures: u64,
    /// Captures whose picture is stored.
    pub(crate) pictures: u64,
    /// Captures that a model has looked at, or given up on.
    pub(crate) inspected: u64,
    /// Boxes at or over the model's threshold in the newest inspections.
    pub(crate) detections: u64,
    /// Missed shots.
    pub(crate) missed: u64,
}

const COLUMNS: &str = "number, id, name, revoked_ms IS NOT NULL, last_contact_ms, captures";

impl Db {
    /// At most `limit` traps by name, after the trap of that number; with the
    /// number of each.
    pub(crate) fn trap_summaries(
        &self,
        after: Option<i64>,
        limit: u32,
        since_ms: i64,
    ) -> Result<Vec<(i64, TrapSummary)>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM traps
             WHERE :after IS NULL
                OR (name, number) > (SELECT name, number FROM traps WHERE number = :after)
             ORDER BY name, number LIMIT :limit"
        ))?;
        let rows = statement.query_map(
            named_params! { ":after": after, ":limit": limit },
            trap_facts,
        )?;
        let facts: Vec<TrapFacts> = rows.collect::<Result<_, _>>()?;
        facts
            .into_iter()
            .map(|facts| Ok((facts.number, self.summarize(facts, since_ms)?)))
            .collect()
    }

    /// One trap.
    pub(crate) fn trap_summary(
        &self,
        id: &TrapId,
        since_ms: i64,
    ) -> Result<Option<TrapSummary>, Failure> {
        let facts = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM traps WHERE id = :id"))?
            .query_row(named_params! { ":id": id.as_str() }, trap_facts)
            .optional()?;
        facts
            .map(|facts| self.summarize(facts, since_ms))
            .transpose()
    }

    /// Counts everything; takes about a second for a million captures.
    pub(crate) fn counts(&self) -> Result<Counts, Failure> {
        let counts = self.connection.query_row(
            "SELECT (SELECT count(*) FROM traps WHERE revoked_ms IS NULL),
                    count(*),
                    (SELECT count(*) FROM captures JOIN pictures USING (trap, sha256)),
                    coalesce(sum(insects IS NOT NULL OR gave_up IS NOT NULL), 0),
                    coalesce(sum(insects), 0),
                    (SELECT coalesce(sum(record ->> 'shots'), 0) FROM effort WHERE missed = 1)
             FROM captures",
            [],
            |row| {
                let whole = |place| row.get(place).map(count);
                Ok(Counts {
                    traps: count(row.get(0)?),
                    captures: count(row.get(1)?),
                    pictures: count(row.get(2)?),
                    inspected: whole(3)?,
                    detections: whole(4)?,
                    missed: whole(5)?,
                })
            },
        )?;
        Ok(counts)
    }

    fn summarize(&self, facts: TrapFacts, since_ms: i64) -> Result<TrapSummary, Failure> {
        let trap = facts.number;
        let newest = self.newest_capture(trap)?;
        let insects_latest = self.insects(
            "SELECT insects FROM captures INDEXED BY captures_inspected_by_trap
             WHERE trap = :trap AND insects IS NOT NULL AND taken_ms >= :since
             ORDER BY taken_ms DESC, number DESC LIMIT 1",
            trap,
            i64::MIN,
        )?;
        let insects_first = self.insects(
            "SELECT insects FROM captures INDEXED BY captures_inspected_by_trap
             WHERE trap = :trap AND insects IS NOT NULL AND taken_ms >= :since
             ORDER BY taken_ms, number LIMIT 1",
            trap,
            since_ms,
        )?;
        let captures_today: i64 = self
            .connection
            .prepare_cached(
                "SELECT count(*) FROM captures WHERE trap = :trap AND taken_ms >= :since",
            )?
            .query_row(named_params! { ":trap": trap, ":since": since_ms }, |row| {
                row.get(0)
            })?;
        let (heard_ms, heartbeat) = self.heartbeat(trap)?.unzip();
        let heartbeat = heartbeat.as_ref();
        Ok(TrapSummary {
            id: traps::trap_id(&facts.id)?,
            name: facts.name,
            revoked: facts.revoked,
            last_contact_ms: facts.last_contact_ms,
            last_capture_ms: newest.as_ref().map(|(taken_ms, _)| *taken_ms),
            last_capture: newest.map(|(_, id)| reading::capture_id(&id)).transpose()?,
            captures: count(facts.captures),
            captures_today: count(captures_today),
            insects_latest,
            insects_today: insects_first
                .and_then(|first| insects_latest.map(|latest| latest.saturating_sub(first))),
            missed_today: self.missed_since(trap, since_ms)?,
            battery_v: heartbeat.and_then(|heartbeat| heartbeat.battery_v),
            clock: heartbeat.map(|heartbeat| heartbeat.stamp.quality),
            clock_behind_ms: heartbeat
                .zip(heard_ms)
                .map(|(heartbeat, heard_ms)| heard_ms.saturating_sub(heartbeat.stamp.unix_ms)),
            pictures_waiting: heartbeat.map(|heartbeat| heartbeat.pictures_waiting),
            next_due_ms: heartbeat.and_then(|heartbeat| heartbeat.next_due_ms),
            agent_version: heartbeat.map(|heartbeat| heartbeat.agent_version.clone()),
            faults: heartbeat
                .map(|heartbeat| heartbeat.faults.clone())
                .unwrap_or_default(),
            model: heartbeat.and_then(|heartbeat| heartbeat.model.clone()),
            offer: self.offer_view(trap, heartbeat)?,
            update: heartbeat.and_then(|heartbeat| heartbeat.update.clone()),
            update_offer: self.update_view(trap, heartbeat)?,
        })
    }

    fn newest_capture(&self, trap: i64) -> Result<Option<(i64, String)>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT taken_ms, id FROM captures WHERE trap = :trap
                 ORDER BY taken_ms DESC, number DESC LIMIT 1",
            )?
            .query_row(named_params! { ":trap": trap }, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?)
    }

    fn insects(&self, sql: &str, trap: i64, since_ms: i64) -> Result<Option<u64>, Failure> {
        let insects: Option<i64> = self
            .connection
            .prepare_cached(sql)?
            .query_row(named_params! { ":trap": trap, ":since": since_ms }, |row| {
                row.get(0)
            })
            .optional()?;
        Ok(insects.map(count))
    }

    fn heartbeat(&self, trap: i64) -> Result<Option<(i64, Heartbeat)>, Failure> {
        let found: Option<(i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT received_ms, record FROM heartbeats WHERE trap = :trap
                 ORDER BY number DESC LIMIT 1",
            )?
            .query_row(named_params! { ":trap": trap }, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        found
            .map(|(heard_ms, record)| Ok((heard_ms, parse(&record)?)))
            .transpose()
    }

    fn missed_since(&self, trap: i64, since_ms: i64) -> Result<u64, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM effort INDEXED BY effort_missed
             WHERE trap = :trap AND missed = 1 AND last_due_ms >= :since",
        )?;
        let rows = statement
            .query_and_then(named_params! { ":trap": trap, ":since": since_ms }, |row| {
                Ok::<_, Failure>(shots_since(&parse(&row.get::<_, String>(0)?)?, since_ms))
            })?;
        rows.sum()
    }
}

/// How many of a run's evenly spaced shots were due at or after `since_ms`.
fn shots_since(run: &EffortRecord, since_ms: i64) -> u64 {
    let shots = u64::from(run.shots);
    if run.due_ms >= since_ms || run.shots <= 1 {
        return shots;
    }
    let (Ok(span_ms), Ok(after_ms)) = (
        u64::try_from(run.last_due_ms.saturating_sub(run.due_ms)),
        u64::try_from(run.last_due_ms.saturating_sub(since_ms)),
    ) else {
        return shots;
    };
    if span_ms == 0 {
        return shots;
    }
    let gaps = u128::from(after_ms) * u128::from(shots - 1) / u128::from(span_ms);
    u64::try_from(gaps + 1).unwrap_or(shots).min(shots)
}

fn trap_facts(row: &Row<'_>) -> rusqlite::Result<TrapFacts> {
    Ok(TrapFacts {
        number: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        revoked: row.get(3)?,
        last_contact_ms: row.get(4)?,
        captures: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trapline_wire::v1::{ClockQuality, EffortOutcome, MissReason, Stamp};
    use trapline_wire::{EffortId, LedgerId};

    #[test]
    fn a_run_over_midnight_counts_only_what_was_due_today() {
        let run = EffortRecord {
            id: EffortId::new(LedgerId(1), 1),
            due_ms: 0,
            last_due_ms: 900,
            shots: 10,
            outcome: EffortOutcome::Missed {
                reason: MissReason::Off,
                detail: String::new(),
            },
            closed: Stamp {
                unix_ms: 0,
                quality: ClockQuality::Rtc,
                boot_id: String::new(),
                uptime_ms: 0,
            },
        };
        assert_eq!(shots_since(&run, 0), 10);
        assert_eq!(shots_since(&run, 1), 9);
        assert_eq!(shots_since(&run, 800), 2);
        assert_eq!(shots_since(&run, 801), 1);
        assert_eq!(shots_since(&run, 900), 1);
    }
}
