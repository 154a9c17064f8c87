//! Which card and which boot speak with a trap's key, and whether one is a copy.
//!
//! A card tells itself by its serial number: the first one holds the key, another
//! one is parked. Where cards say nothing, boots do: a boot that comes back after
//! another one took over is a second device, for no device boots backwards.

mod meeting;

use super::Db;
use crate::problem::Failure;
pub(super) use meeting::meet;
use rusqlite::{OptionalExtension as _, Transaction, named_params};

/// What a device says of itself beside its key; empty where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) card: String,
    pub(crate) board: String,
    pub(crate) boot: String,
}

impl Device {
    /// What is compared with the last time.
    pub(crate) fn seen(&self) -> String {
        format!("{} {} {}", self.card, self.board, self.boot)
    }
}

/// Whether a device may deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the trap.
    Holder,
    /// Its card is a copy of the trap's, and a person has to decide.
    ParkedCard,
    /// A person decided that this card becomes a trap of its own.
    Anew,
    /// Two devices speak with the key, and nothing tells which is the copy.
    ParkedTrap,
}

impl Standing {
    /// What a parked device hears, with the remedy; `None` for one that may deliver.
    pub(crate) fn complaint(self) -> Option<&'static str> {
        match self {
            Self::Holder => None,
            Self::ParkedCard | Self::Anew => Some(
                "cloned SD card: it is a copy of another trap's; pictures go on and stay on \
                 the card. Decide on the server (`trapline-server enrol list`, or the page \
                 Enrolment), or at the trap: `trapline-agent enrol --anew` makes it a trap of its \
                 own, `trapline-agent enrol --same` if the other card is gone",
            ),
            Self::ParkedTrap => Some(
                "cloned SD card: two devices send with this trap's key; pictures go on and stay on \
                 the card. Run `trapline-agent enrol --anew` at the copy, then \
                 `trapline-server enrol resolve` or the page Enrolment",
            ),
        }
    }
}

/// A card as people are shown it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct CardListed {
    pub(crate) trap: String,
    pub(crate) trap_name: String,
    pub(crate) card: String,
    pub(crate) board: String,
    pub(crate) standing: String,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) moved_ms: Option<i64>,
}

/// A trap of which two devices speak that cannot be told apart.
#[derive(Debug, serde::Serialize)]
pub(crate) struct ParkedListed {
    pub(crate) trap: String,
    pub(crate) trap_name: String,
    pub(crate) parked_ms: i64,
}

/// What a person decides about a parked card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// This card goes on as the trap; the other one is gone
    Same,
    /// This card becomes a trap of its own
    Anew,
}

impl Db {
    /// Notes that this device spoke with the trap's key, and says whether it may deliver.
    pub(crate) fn meet(
        &mut self,
        trap: i64,
        device: &Device,
        now_ms: i64,
    ) -> Result<Standing, Failure> {
        let transaction = self.write()?;
        let standing = meet(&transaction, trap, device, now_ms)?;
        if standing == Standing::Holder {
            transaction
                .prepare_cached(
                    "UPDATE traps SET last_contact_ms = :now, seen = :seen WHERE number = :trap",
                )?
                .execute(named_params! { ":now": now_ms, ":seen": device.seen(), ":trap": trap })?;
        }
        transaction.commit()?;
        Ok(standing)
    }

    /// Cards that wait for a decision, and those that hold the keys they copied.
    pub(crate) fn cards_in_question(&self) -> Result<Vec<CardListed>, Failure> {
        let mut statement = self.connection.prepare(
            "SELECT traps.id, traps.name, card, board, standing, first_ms, last_ms, moved_ms
             FROM trap_cards JOIN traps ON traps.number = trap
             WHERE revoked_ms IS NULL AND trap IN
                 (SELECT trap FROM trap_cards WHERE standing <> 'holder')
             ORDER BY traps.name, trap_cards.number",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(CardListed {
                trap: row.get(0)?,
                trap_name: row.get(1)?,
                card: row.get(2)?,
                board: row.get(3)?,
                standing: row.get(4)?,
                first_ms: row.get(5)?,
                last_ms: row.get(6)?,
                moved_ms: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Traps that are parked as a whole.
    pub(crate) fn parked_traps(&self) -> Result<Vec<ParkedListed>, Failure> {
        let mut statement = self.connection.prepare(
            "SELECT id, name, parked_ms FROM traps
             WHERE parked_ms IS NOT NULL AND revoked_ms IS NULL ORDER BY name, number",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(ParkedListed {
                trap: row.get(0)?,
                trap_name: row.get(1)?,
                parked_ms: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Settles a parked card of the trap in use with that name or id: the one whose name
    /// begins so. False when there is none, or several.
    pub(crate) fn resolve_card(
        &mut self,
        name_or_id: &str,
        card: &str,
        decision: Decision,
        by: &str,
    ) -> Result<bool, Failure> {
        let transaction = self.write()?;
        let Some(trap) = in_use(&transaction, name_or_id)? else {
            return Ok(false);
        };
        let mut statement = transaction.prepare_cached(
            "SELECT card FROM trap_cards
             WHERE trap = :trap AND standing <> 'holder' AND substr(card, 1, length(:card)) = :card",
        )?;
        let cards = statement.query_map(named_params! { ":trap": trap, ":card": card }, |row| {
            row.get::<_, String>(0)
        })?;
        let cards: Vec<String> = cards.collect::<Result<_, _>>()?;
        drop(statement);
        let [card] = cards.as_slice() else {
            return Ok(false);
        };
        match decision {
            Decision::Same => hand_over(&transaction, trap, card, by)?,
            Decision::Anew => stand(&transaction, trap, card, "anew", by)?,
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Lets a trap deliver again that was parked as a whole; false when none was.
    pub(crate) fn resolve_trap(&mut self, name_or_id: &str) -> Result<bool, Failure> {
        let transaction = self.write()?;
        let Some(trap) = in_use(&transaction, name_or_id)? else {
            return Ok(false);
        };
        let released = release(&transaction, trap)?;
        transaction.commit()?;
        Ok(released)
    }
}

/// This card is a trap of its own now, and no copy of another any more.
pub(super) fn settled(transaction: &Transaction<'_>, trap: i64, card: &str) -> Result<(), Failure> {
    transaction.execute(
        "DELETE FROM trap_cards WHERE card = :card AND trap <> :trap AND standing <> 'holder'",
        named_params! { ":card": card, ":trap": trap },
    )?;
    Ok(())
}

/// This card holds the key, unless another one does already.
pub(super) fn hold(
    transaction: &Transaction<'_>,
    trap: i64,
    card: &str,
    now_ms: i64,
) -> Result<(), Failure> {
    transaction.execute(
        "INSERT INTO trap_cards (trap, card, board, standing, first_ms, last_ms)
         SELECT :trap, :card, '', 'holder', :now, :now
         WHERE NOT EXISTS (SELECT 1 FROM trap_cards WHERE trap = :trap AND standing = 'holder')
         ON CONFLICT (trap, card) DO NOTHING",
        named_params! { ":trap": trap, ":card": card, ":now": now_ms },
    )?;
    Ok(())
}

/// This card holds the key from now on, and the one that held it is parked.
pub(super) fn hand_over(
    transaction: &Transaction<'_>,
    trap: i64,
    card: &str,
    by: &str,
) -> Result<(), Failure> {
    transaction.execute(
        "UPDATE trap_cards SET standing = 'parked' WHERE trap = :trap AND standing = 'holder'",
        named_params! { ":trap": trap },
    )?;
    stand(transaction, trap, card, "holder", by)?;
    release(transaction, trap)?;
    Ok(())
}

fn stand(
    transaction: &Transaction<'_>,
    trap: i64,
    card: &str,
    standing: &str,
    by: &str,
) -> Result<(), Failure> {
    transaction.execute(
        "UPDATE trap_cards SET standing = :standing, decided_by = :by
         WHERE trap = :trap AND card = :card",
        named_params! { ":standing": standing, ":by": by, ":trap": trap, ":card": card },
    )?;
    // The next request of any card is looked at anew.
    transaction.execute(
        "UPDATE traps SET seen = '' WHERE number = :trap",
        named_params! { ":trap": trap },
    )?;
    Ok(())
}

fn release(transaction: &Transaction<'_>, trap: i64) -> Result<bool, Failure> {
    transaction.execute(
        "DELETE FROM trap_boots WHERE trap = :trap",
        named_params! { ":trap": trap },
    )?;
    let released = transaction.execute(
        "UPDATE traps SET parked_ms = NULL, seen = ''
         WHERE number = :trap AND parked_ms IS NOT NULL",
        named_params! { ":trap": trap },
    )?;
    Ok(released == 1)
}

fn in_use(transaction: &Transaction<'_>, name_or_id: &str) -> Result<Option<i64>, Failure> {
    Ok(transaction
        .query_row(
            "SELECT number FROM traps WHERE revoked_ms IS NULL AND (id = :which OR name = :which)
             ORDER BY id = :which DESC LIMIT 1",
            named_params! { ":which": name_or_id },
            |row| row.get(0),
        )
        .optional()?)
}
