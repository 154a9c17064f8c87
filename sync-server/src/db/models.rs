//! Models that traps may fetch, and the offers that stand.

use super::{Db, count, digest, int, parse};
use crate::problem::Failure;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use trapline_wire::Sha256;
use trapline_wire::read::OfferView;
use trapline_wire::v1::{Heartbeat, ModelAnswer, ModelOffer, ModelState};

/// A model whose two files are stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ModelRow {
    pub(crate) id: String,
    pub(crate) sha256: Sha256,
    pub(crate) size_bytes: u64,
    pub(crate) manifest_sha256: Sha256,
    pub(crate) manifest_size_bytes: u64,
    /// The card that it was taught on; empty when its manifest does not say.
    pub(crate) card: String,
    pub(crate) added_ms: i64,
}

/// A standing offer with what the trap last said of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct OfferRow {
    pub(crate) trap: String,
    pub(crate) trap_name: String,
    pub(crate) model: String,
    pub(crate) offered_ms: i64,
    /// `null` while the trap has not heard of the offer.
    pub(crate) state: Option<ModelState>,
    /// The model that looks at the trap's pictures now, as it says.
    pub(crate) running: Option<String>,
}

/// The traps of one offer or withdrawal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Every trap whose key is in use.
    All,
    /// These, by name or id.
    Named(&'a [String]),
    /// So many of a hundred. The same word draws the same traps, and more of a hundred are
    /// those and others.
    Share {
        /// 1 to 100.
        percent: u8,
        /// What is drawn for.
        word: &'a str,
    },
}

const MODEL_COLUMNS: &str =
    "id, sha256, size_bytes, manifest_sha256, manifest_size_bytes, card, added_ms";
const STANDING_OFFERS: &str = "
    SELECT traps.id, traps.name, models.id, model_offers.offered_ms, models.manifest_sha256,
           (SELECT record FROM heartbeats WHERE heartbeats.trap = traps.number
            ORDER BY heartbeats.number DESC LIMIT 1)
    FROM model_offers
    JOIN traps ON traps.number = model_offers.trap
    JOIN models ON models.number = model_offers.model";

impl Db {
    /// Notes a model whose files are stored; false when its id or its manifest is here already.
    pub(crate) fn add_model(&mut self, model: &ModelRow) -> Result<bool, Failure> {
        let added = self.connection.execute(
            "INSERT INTO models (id, sha256, size_bytes, manifest_sha256, manifest_size_bytes,
                                 card, added_ms)
             VALUES (:id, :sha256, :size, :manifest, :manifest_size, :card, :now)
             ON CONFLICT DO NOTHING",
            named_params! {
                ":id": model.id,
                ":sha256": model.sha256.as_bytes(),
                ":size": int(model.size_bytes),
                ":manifest": model.manifest_sha256.as_bytes(),
                ":manifest_size": int(model.manifest_size_bytes),
                ":card": model.card,
                ":now": model.added_ms,
            },
        )?;
        Ok(added == 1)
    }

    /// The model of that id.
    pub(crate) fn model(&self, id: &str) -> Result<Option<ModelRow>, Failure> {
        let sql = format!("SELECT {MODEL_COLUMNS} FROM models WHERE id = :id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement
            .query_row(named_params! { ":id": id }, model_row)
            .optional()?)
    }

    /// Every model, the oldest first.
    pub(crate) fn models(&self) -> Result<Vec<ModelRow>, Failure> {
        let sql = format!("SELECT {MODEL_COLUMNS} FROM models ORDER BY number");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], model_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a file of this content belongs to a model, as the model itself or its manifest.
    pub(crate) fn is_model_file(&self, sha256: &Sha256) -> Result<bool, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT 1 FROM models WHERE sha256 = :sha256 OR manifest_sha256 = :sha256",
            )?
            .exists(named_params! { ":sha256": sha256.as_bytes() })?)
    }

    /// Offers the model to these traps in place of whatever was offered to them;
    /// gives the names of the traps, or the first name that no trap in use has.
    pub(crate) fn offer_model(
        &mut self,
        id: &str,
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
                "INSERT INTO model_offers (trap, model, offered_ms)
                 VALUES (:trap, (SELECT number FROM models WHERE id = :id), :now)
                 ON CONFLICT (trap) DO UPDATE
                 SET model = excluded.model, offered_ms = excluded.offered_ms",
                named_params! { ":trap": number, ":id": id, ":now": now_ms },
            )?;
        }
        transaction.commit()?;
        Ok(Ok(traps.into_iter().map(|(_, name)| name).collect()))
    }

    /// Takes the model's offers to these traps back; gives the names of those that had one.
    pub(crate) fn withdraw_model(
        &mut self,
        id: &str,
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
                "DELETE FROM model_offers
                 WHERE trap = :trap AND model = (SELECT number FROM models WHERE id = :id)",
                named_params! { ":trap": number, ":id": id },
            )?;
            if taken_back == 1 {
                names.push(name);
            }
        }
        transaction.commit()?;
        Ok(Ok(names))
    }

    /// Every standing offer, by trap.
    pub(crate) fn offers(&self) -> Result<Vec<OfferRow>, Failure> {
        let sql = format!("{STANDING_OFFERS} ORDER BY traps.name, traps.number");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_and_then([], |row| {
            let heartbeat = last_heartbeat(row)?;
            Ok::<_, Failure>(OfferRow {
                trap: row.get(0)?,
                trap_name: row.get(1)?,
                model: row.get(2)?,
                offered_ms: row.get(3)?,
                state: said_of(&digest(row.get(4)?), heartbeat.as_ref()),
                running: heartbeat.and_then(|heartbeat| heartbeat.model),
            })
        })?;
        rows.collect()
    }

    /// What a page shows of the offer to a trap, if one stands.
    pub(super) fn offer_view(
        &self,
        trap: i64,
        heartbeat: Option<&Heartbeat>,
    ) -> Result<Option<OfferView>, Failure> {
        let sql = format!("{STANDING_OFFERS} WHERE traps.number = :trap");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement
            .query_row(named_params! { ":trap": trap }, |row| {
                let manifest_sha256 = digest(row.get(4)?);
                Ok(OfferView {
                    id: row.get(2)?,
                    offered_ms: row.get(3)?,
                    state: said_of(&manifest_sha256, heartbeat),
                })
            })
            .optional()?;
        Ok(found)
    }
}

/// The offer that a sync reply to this trap carries: the standing one, until the
/// trap's newest heartbeat says that it made up its mind about it.
pub(super) fn offer_for(
    connection: &Connection,
    trap: i64,
    heartbeat: Option<&Heartbeat>,
) -> Result<Option<ModelOffer>, Failure> {
    let offer = connection
        .prepare_cached(
            "SELECT id, sha256, size_bytes, manifest_sha256, manifest_size_bytes, card, added_ms
             FROM models WHERE number = (SELECT model FROM model_offers WHERE trap = :trap)",
        )?
        .query_row(named_params! { ":trap": trap }, model_row)
        .optional()?;
    let Some(model) = offer else {
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
    let said = said_of(&model.manifest_sha256, heartbeat);
    if said.is_some_and(|state| state.is_settled()) {
        return Ok(None);
    }
    Ok(Some(ModelOffer {
        id: model.id,
        sha256: model.sha256,
        size_bytes: model.size_bytes,
        manifest_sha256: model.manifest_sha256,
        manifest_size_bytes: model.manifest_size_bytes,
    }))
}

/// The newest heartbeat that is stored of a trap.
pub(super) fn newest_heartbeat(
    connection: &Connection,
    trap: i64,
) -> Result<Option<Heartbeat>, Failure> {
    let record: Option<String> = connection
        .prepare_cached(
            "SELECT record FROM heartbeats WHERE trap = :trap ORDER BY number DESC LIMIT 1",
        )?
        .query_row(named_params! { ":trap": trap }, |row| row.get(0))
        .optional()?;
    record.map(|text| parse(&text)).transpose()
}

/// What the heartbeat says of the model with this manifest.
fn said_of(manifest_sha256: &Sha256, heartbeat: Option<&Heartbeat>) -> Option<ModelState> {
    let answer: &ModelAnswer = heartbeat?.model_offer.as_ref()?;
    (answer.manifest_sha256 == *manifest_sha256).then(|| answer.state.clone())
}

fn last_heartbeat(row: &Row<'_>) -> Result<Option<Heartbeat>, Failure> {
    let record: Option<String> = row.get(5)?;
    record.map(|text| parse(&text)).transpose()
}

/// Number and name of each trap that is meant, or the first name that none has.
pub(super) fn traps_in_use(
    connection: &Connection,
    which: Which<'_>,
) -> Result<Result<Vec<(i64, String)>, String>, Failure> {
    let mut all = connection.prepare(
        "SELECT number, name, id FROM traps WHERE revoked_ms IS NULL ORDER BY name, number",
    )?;
    let rows = all.query_map([], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    let all: Vec<_> = rows.collect::<Result<_, _>>()?;
    let wanted = match which {
        Which::Named(wanted) => wanted,
        Which::All => {
            let traps = all.into_iter().map(|(number, name, _)| (number, name));
            return Ok(Ok(traps.collect()));
        }
        Which::Share { percent, word } => return Ok(Ok(share(all, percent, word))),
    };
    let mut traps = Vec::new();
    for want in wanted {
        let found = all.iter().find(|(_, name, id)| id == want || name == want);
        match found {
            Some((number, name, _)) => traps.push((*number, name.clone())),
            None => return Ok(Err(want.clone())),
        }
    }
    Ok(Ok(traps))
}

/// Draws so many of a hundred, at least one: each trap has a lot that depends on word and id alone.
fn share(mut all: Vec<(i64, String, String)>, percent: u8, word: &str) -> Vec<(i64, String)> {
    let drawn = (all.len() * usize::from(percent)).div_ceil(100);
    all.sort_by_cached_key(|(_, _, id)| Sha256::of(format!("{word} {id}").as_bytes()).to_string());
    all.truncate(drawn);
    let mut traps: Vec<_> = all
        .into_iter()
        .map(|(number, name, _)| (number, name))
        .collect();
    traps.sort_by(|a, b| a.1.cmp(&b.1));
    traps
}

fn model_row(row: &Row<'_>) -> rusqlite::Result<ModelRow> {
    Ok(ModelRow {
        id: row.get(0)?,
        sha256: digest(row.get(1)?),
        size_bytes: count(row.get(2)?),
        manifest_sha256: digest(row.get(3)?),
        manifest_size_bytes: count(row.get(4)?),
        card: row.get(5)?,
        added_ms: row.get(6)?,
    })
}
