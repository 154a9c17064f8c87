//! What a trap is called that nobody named, or that wishes for a name in use.

use super::Row;
use crate::problem::Failure;
use rusqlite::{Transaction, named_params};

const NAME_CHARS_MAX: usize = 80;

/// The wished name, or one that begins with `prefix`; made different from all in use.
pub(super) fn free_name(
    transaction: &Transaction<'_>,
    row: &Row,
    prefix: &str,
) -> Result<String, Failure> {
    let wished = &row.wished_name;
    if wished.is_empty() {
        let prefix = if prefix.is_empty() { "trap" } else { prefix };
        for number in 1..100_000 {
            let name = format!("{prefix}-{number:02}");
            if !is_taken(transaction, &name)? {
                return Ok(name);
            }
        }
    }
    let short: String = row.code.chars().take(4).collect();
    for name in [wished.clone(), format!("{wished} {short}")] {
        if !is_taken(transaction, &name)? {
            return Ok(name);
        }
    }
    Ok(format!("{wished} {}", row.trap_id))
}

pub(super) fn is_taken(transaction: &Transaction<'_>, name: &str) -> Result<bool, Failure> {
    Ok(transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM traps WHERE name = :name AND revoked_ms IS NULL)",
        named_params! { ":name": name },
        |row| row.get(0),
    )?)
}

/// A name as the server keeps names, whatever a trap wishes for.
pub(super) fn tidy_name(wished: &str) -> String {
    let one_line = wished.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = one_line.chars().filter(|letter| !letter.is_control());
    // The code may have to fit behind it.
    letters.take(NAME_CHARS_MAX - 10).collect()
}
