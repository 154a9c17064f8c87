//! A device speaks with a trap's key: whether its card holds it, and whether its boot came back.

use super::{Device, Standing};
use crate::problem::Failure;
use rusqlite::{OptionalExtension as _, Transaction, named_params};

/// A request that was under way while its trap booted anew is younger than this.
const UNDER_WAY_MAX_MS: i64 = 10 * 60 * 1000;
/// Boots kept of each trap.
const BOOTS_MAX: i64 = 32;

/// Notes that this device spoke with the trap's key, and says whether it may deliver.
pub(in crate::db) fn meet(
    transaction: &Transaction<'_>,
    trap: i64,
    device: &Device,
    now_ms: i64,
) -> Result<Standing, Failure> {
    let standing = meet_card(transaction, trap, device, now_ms)?;
    if standing != Standing::Holder {
        return Ok(standing);
    }
    let is_parked: bool = transaction
        .prepare_cached("SELECT parked_ms IS NOT NULL FROM traps WHERE number = :trap")?
        .query_row(named_params! { ":trap": trap }, |row| row.get(0))?;
    if is_parked {
        return Ok(Standing::ParkedTrap);
    }
    if device.boot.is_empty() || !came_back(transaction, trap, &device.boot, now_ms)? {
        return Ok(Standing::Holder);
    }
    transaction.execute(
        "UPDATE traps SET parked_ms = :now, seen = '' WHERE number = :trap",
        named_params! { ":now": now_ms, ":trap": trap },
    )?;
    log::warn!("two devices send with the key of trap number {trap}: it is parked");
    Ok(Standing::ParkedTrap)
}

fn meet_card(
    transaction: &Transaction<'_>,
    trap: i64,
    device: &Device,
    now_ms: i64,
) -> Result<Standing, Failure> {
    if device.card.is_empty() {
        return Ok(Standing::Holder);
    }
    let known: Option<(String, String)> = transaction
        .prepare_cached(
            "SELECT standing, board FROM trap_cards WHERE trap = :trap AND card = :card",
        )?
        .query_row(
            named_params! { ":trap": trap, ":card": device.card },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((standing, board)) = known else {
        return meet_first(transaction, trap, device, now_ms);
    };
    let moved = !device.board.is_empty() && !board.is_empty() && board != device.board;
    transaction
        .prepare_cached(
            "UPDATE trap_cards SET last_ms = :now,
                 board = CASE WHEN :board = '' THEN board ELSE :board END,
                 moved_ms = CASE WHEN :moved THEN :now ELSE moved_ms END
             WHERE trap = :trap AND card = :card",
        )?
        .execute(named_params! {
            ":now": now_ms, ":board": device.board, ":moved": moved,
            ":trap": trap, ":card": device.card,
        })?;
    if moved {
        log::info!("the card of trap number {trap} is in another computer now");
    }
    Ok(match standing.as_str() {
        "holder" => Standing::Holder,
        "anew" => Standing::Anew,
        _ => Standing::ParkedCard,
    })
}

fn meet_first(
    transaction: &Transaction<'_>,
    trap: i64,
    device: &Device,
    now_ms: i64,
) -> Result<Standing, Failure> {
    let is_held: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM trap_cards WHERE trap = :trap AND standing = 'holder')",
        )?
        .query_row(named_params! { ":trap": trap }, |row| row.get(0))?;
    transaction
        .prepare_cached(
            "INSERT INTO trap_cards (trap, card, board, standing, first_ms, last_ms)
             VALUES (:trap, :card, :board, :standing, :now, :now)",
        )?
        .execute(named_params! {
            ":trap": trap, ":card": device.card, ":board": device.board,
            ":standing": if is_held { "parked" } else { "holder" }, ":now": now_ms,
        })?;
    if !is_held {
        return Ok(Standing::Holder);
    }
    log::warn!(
        "card {} sends with the key of trap number {trap}, which another card holds: it is parked",
        device.card
    );
    Ok(Standing::ParkedCard)
}

/// Whether this boot spoke before another one took over, and still speaks.
fn came_back(
    transaction: &Transaction<'_>,
    trap: i64,
    boot: &str,
    now_ms: i64,
) -> Result<bool, Failure> {
    let newest: Option<(String, i64)> = transaction
        .prepare_cached(
            "SELECT boot, first_ms FROM trap_boots WHERE trap = :trap ORDER BY number DESC LIMIT 1",
        )?
        .query_row(named_params! { ":trap": trap }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match newest {
        Some((newest, _)) if newest == boot => return Ok(false),
        Some((_, since_ms)) => {
            let is_known: bool = transaction
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM trap_boots WHERE trap = :trap AND boot = :boot)",
                )?
                .query_row(named_params! { ":trap": trap, ":boot": boot }, |row| {
                    row.get(0)
                })?;
            if is_known {
                return Ok(now_ms - since_ms > UNDER_WAY_MAX_MS);
            }
        }
        None => {}
    }
    transaction
        .prepare_cached(
            "INSERT INTO trap_boots (trap, boot, first_ms) VALUES (:trap, :boot, :now)",
        )?
        .execute(named_params! { ":trap": trap, ":boot": boot, ":now": now_ms })?;
    transaction
        .prepare_cached(
            "DELETE FROM trap_boots WHERE trap = :trap AND number <=
                 (SELECT number FROM trap_boots WHERE trap = :trap
                  ORDER BY number DESC LIMIT 1 OFFSET :kept)",
        )?
        .execute(named_params! { ":trap": trap, ":kept": BOOTS_MAX })?;
    Ok(false)
}
