//! Updates that traps may fetch, and the offers that stand.

use super::models::{newest_heartbeat, traps_in_use};
use super::{Db, Which, count, digest, int, parse};
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use trapline_wire::Sha256;
use trapline_wire::read::UpdateView;
use trapline_wire::v1::{Heartbeat, UpdateAnswer, UpdateOffer, UpdateState};

/// An update whose bundle is stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct UpdateRow {
    pub(crate) version: String,
    pub(crate) sha256: Sha256,
    pub(crate) size_bytes: u64,
    pub(crate) added_ms: i64,
}

/// A standing offer with what the trap last said of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct UpdateOfferRow {
    pub(crate) trap: String,
    pub(crate) trap_name: String,
    pub(crate) version: String,
    pub(crate) offered_ms: i64,
    /// `null` while the trap has not heard of the offer.
    pub(crate) state: Option<UpdateState>,
    /// Version of the agent that runs, as it says.
    pub(crate) running: Option<String>,
}

const STANDING_OFFERS: &str = "
    SELECT traps.id, traps.name, updates.version, update_offers.offered_ms, updates.sha256,
           (SELECT record FROM heartbeats WHERE heartbeats.trap = traps.number
            ORDER BY heartbeats.number DESC LIMIT 1)
    FROM update_offers
    JOIN traps ON traps.number = update_offers.trap
    JOIN updates ON updates.number = update_offers.update_number";

impl Db {
    /// Notes an update whose bundle is stored; false when its version or its bundle is here already.
    pub(crate) fn add_update(&mut self, update: &UpdateRow) -> Result<bool, Failure> {
        let added = self.connection.execute(
            "INSERT INTO updates (version, sha256, size_bytes, added_ms)
             VALUES (:version, :sha256, :size, :now) ON CONFLICT DO NOTHING",
            named_params! {
                ":version": update.version,
                ":sha256": update.sha256.as_bytes(),
                ":size": int(update.size_bytes),
                ":now": update.added_ms,
            },
        )?;
        Ok(added == 1)
    }

    /// The update of that version.
    pub(crate) fn update(&self, version: &str) -> Result<Option<UpdateRow>, Failure> {
        let updates = self.updates()?;
        Ok(updates.into_iter().find(|row| row.version == version))
    }

    /// Every update, the oldest first.
    pub(crate) fn updates(&self) -> Result<Vec<UpdateRow>, Failure> {
        let mut statement = self
            .connection
            .prepare("SELECT version, sha256, size_bytes, added_ms FROM updates ORDER BY number")?;
        let rows = statement.query_map([], update_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a file of this content is the bundle of an update.
    pub(crate) fn is_bundle(&self, sha256: &Sha256) -> Result<bool, Failure> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM updates WHERE sha256 = :sha256")?
            .exists(named_params! { ":sha256": sha256.as_bytes() })?)
    }

    /// Offers the update to these traps in place of whatever was offered to them;
    /// gives the names of the traps, or the first name that no trap in use has.
    pub(crate) fn offer_update(
        &mut self,
        version: &str,
        which: Which<'_>,
        now_ms: i64,
    ) -> Result<Result<Vec<String>, String>, Failure> {
        let transaction = self.write()?;
        let traps = match traps_in_use(&transaction, which)? {
            Ok(traps) => traps,
            Err(unknown) => return Ok(Err(unknown)),
        };
        for (number, _) in &traps {
            transaction.execute(
                "INSERT INTO update_offers (trap, update_number, offered_ms)
                 VALUES (:trap, (SELECT number FROM updates WHERE version = :version), :now)
                 ON CONFLICT (trap) DO UPDATE
                 SET update_number = excluded.update_number, offered_ms = excluded.offered_ms",
                named_params! { ":trap": number, ":version": version, ":now": now_ms },
            )?;
        }
        transaction.commit()?;
        Ok(Ok(traps.into_iter().map(|(_, name)| name).collect()))
    }

    /// Takes the update's offers to these traps back; gives the names of those that had one.
    pub(crate) fn withdraw_update(
        &mut self,
        version: &str,
        which: Which<'_>,
    ) -> Result<Result<Vec<String>, String>, Failure> {
        let transaction = self.write()?;
        let traps = match traps_in_use(&transaction, which)? {
            Ok(traps) => traps,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let mut names = Vec::new();
        for (number, name) in traps {
            let taken_back = transaction.execute(
                "DELETE FROM update_offers WHERE trap = :trap
                 AND update_number = (SELECT number FROM updates WHERE version = :version)",
                named_params! { ":trap": number, ":version": version },
            )?;
            if taken_back == 1 {
                names.push(name);
            }
        }
        transaction.commit()?;
        Ok(Ok(names))
    }

    /// Every standing offer, by trap.
    pub(crate) fn update_offers(&self) -> Result<Vec<UpdateOfferRow>, Failure> {
        let sql = format!("{STANDING_OFFERS} ORDER BY traps.name, traps.number");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_and_then([], |row| {
            let record: Option<String> = row.get(5)?;
            let heartbeat = record.map(|text| parse::<Heartbeat>(&text)).transpose()?;
            Ok::<_, Failure>(UpdateOfferRow {
                trap: row.get(0)?,
                trap_name: row.get(1)?,
                version: row.get(2)?,
                offered_ms: row.get(3)?,
                state: said_of(&digest(row.get(4)?), heartbeat.as_ref()),
                running: heartbeat.map(|heartbeat| heartbeat.agent_version),
            })
        })?;
        rows.collect()
    }

    /// What a page shows of the update that is offered to a trap, if one is.
    pub(super) fn update_view(
        &self,
        trap: i64,
        heartbeat: Option<&Heartbeat>,
    ) -> Result<Option<UpdateView>, Failure> {
        let sql = format!("{STANDING_OFFERS} WHERE traps.number = :trap");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement
            .query_row(named_params! { ":trap": trap }, |row| {
                let sha256 = digest(row.get(4)?);
                Ok(UpdateView {
                    version: row.get(2)?,
                    offered_ms: row.get(3)?,
                    state: said_of(&sha256, heartbeat),
                })
            })
            .optional()?;
        Ok(found)
    }
}

/// The update that a sync reply to this trap offers: the standing one, until the trap's
/// newest heartbeat says that it is done with it.
pub(super) fn offer_for(
    connection: &Connection,
    trap: i64,
    heartbeat: Option<&Heartbeat>,
) -> Result<Option<UpdateOffer>, Failure> {
    let update = connection
        .prepare_cached(
            "SELECT version, sha256, size_bytes, added_ms FROM updates
             WHERE number = (SELECT update_number FROM update_offers WHERE trap = :trap)",
        )?
        .query_row(named_params! { ":trap": trap }, update_row)
        .optional()?;
    let Some(update) = update else {
        return Ok(None);
    };
    let stored;
    let heartbeat = match heartbeat {
        Some(heartbeat) => Some(heartbeat),
        None => {
            stored = newest_heartbeat(connection, trap)?;
            stored.as_ref()
        }
    };
    let said = said_of(&update.sha256, heartbeat);
    if said.is_some_and(|state| state.is_settled()) {
        return Ok(None);
    }
    Ok(Some(UpdateOffer {
        version: update.version,
        sha256: update.sha256,
        size_bytes: update.size_bytes,
    }))
}

/// What the heartbeat says of the update with this bundle.
fn said_of(sha256: &Sha256, heartbeat: Option<&Heartbeat>) -> Option<UpdateState> {
    let answer: &UpdateAnswer = heartbeat?.update.as_ref()?;
    (answer.sha256 == Some(*sha256)).then(|| answer.state.clone())
}

fn update_row(row: &Row<'_>) -> rusqlite::Result<UpdateRow> {
    Ok(UpdateRow {
        version: row.get(0)?,
        sha256: digest(row.get(1)?),
        size_bytes: count(row.get(2)?),
        added_ms: row.get(3)?,
    })
}
