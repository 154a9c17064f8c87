//! What is looked for in a trap, and whether it is so.

use super::scenario::Look;
use super::trap::Trap;
use anyhow::Result;
use serde_json::Value;

/// Whether it is so now; if not, what is there instead.
pub(super) fn is_so(trap: &mut Trap, look: &Look, captures_before: u64) -> Result<Option<String>> {
    let instead = match look {
        Look::Captures(more) => {
            let taken = captures(&trap.status()?).saturating_sub(captures_before);
            (taken < *more).then(|| format!("{taken} were taken"))
        }
        Look::Fault { part, says } => {
            let faults = faults(&trap.status()?);
            let mut found = faults.iter().filter(|(name, _)| name == part);
            let is_there = found.any(|(_, words)| words.contains(says));
            (!is_there).then(|| format!("the faults are {faults:?}"))
        }
        Look::NoFault(part) => {
            let faults = faults(&trap.status()?);
            let still = faults.into_iter().find(|(name, _)| name == part);
            still.map(|(_, words)| format!("it still says: {words}"))
        }
        Look::Status { at, says } => {
            let status = trap.status()?;
            let value = status.pointer(&format!("/{at}"));
            let found = value.is_some_and(|value| shown(value).contains(says));
            (!found).then(|| format!("it says {}", value.map(shown).unwrap_or_default()))
        }
        Look::Reading { .. } | Look::NoReading(_) | Look::Row { .. } => in_tables(trap, look)?,
        Look::High(_) | Look::Low(_) | Look::Display(_) | Look::DisplayDark(_) => {
            outside(trap, look)?
        }
        Look::Arrived(_) => arrived(trap, captures_before)?,
        Look::Log(words) => {
            let text = trap.machine.tell("cat /var/log/agent.log")?;
            (!text.contains(words)).then(|| format!("its last line is: {}", last_line(&text)))
        }
    };
    Ok(instead)
}

/// What the ledger says.
fn in_tables(trap: &mut Trap, look: &Look) -> Result<Option<String>> {
    let (table, is_so) = match look {
        Look::Reading {
            column,
            near,
            tolerance,
        } => {
            let table = trap.table("readings")?;
            let value = last_cell(&table, column).and_then(|value| value.parse::<f64>().ok());
            let is_near = value.is_some_and(|value| (value - near).abs() <= *tolerance);
            (table, is_near)
        }
        Look::NoReading(column) => {
            let table = trap.table("readings")?;
            let is_empty = last_cell(&table, column).is_some_and(|value| value.is_empty());
            (table, is_empty)
        }
        Look::Row { table, cells } => {
            let table = trap.table(table)?;
            let fits = |row: &Vec<(String, String)>| {
                cells.iter().all(|(column, says)| {
                    let mut cell = row.iter().filter(|(name, _)| name == column);
                    cell.any(|(_, value)| value.contains(says))
                })
            };
            let is_there = rows(&table).iter().any(fits);
            (table, is_there)
        }
        Look::Captures(_)
        | Look::Fault { .. }
        | Look::NoFault(_)
        | Look::Status { .. }
        | Look::High(_)
        | Look::Low(_)
        | Look::Display(_)
        | Look::DisplayDark(_)
        | Look::Arrived(_)
        | Look::Log(_) => return Ok(None),
    };
    Ok((!is_so).then(|| format!("the last row is: {}", last_line(&table))))
}

/// What can be seen of the trap without asking it.
fn outside(trap: &mut Trap, look: &Look) -> Result<Option<String>> {
    let instead = match look {
        Look::High(gpio) => (!trap.is_high(*gpio)?).then(|| "it is low".to_owned()),
        Look::Low(gpio) => trap.is_high(*gpio)?.then(|| "it is high".to_owned()),
        Look::Display(words) => {
            let shown = trap.machine.bus("display words")?;
            (!shown.contains(words)).then(|| format!("it says: {}", shown.replace('\n', " | ")))
        }
        Look::DisplayDark(dark) => {
            let is_dark = trap.machine.bus("display")?.trim().is_empty();
            (is_dark != *dark).then(|| "it is not".to_owned())
        }
        Look::Captures(_)
        | Look::Fault { .. }
        | Look::NoFault(_)
        | Look::Status { .. }
        | Look::Reading { .. }
        | Look::NoReading(_)
        | Look::Row { .. }
        | Look::Arrived(_)
        | Look::Log(_) => None,
    };
    Ok(instead)
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().last().unwrap_or_default()
}

/// Whether all that was taken up to the look's beginning is there; more is taken meanwhile.
fn arrived(trap: &mut Trap, captures: u64) -> Result<Option<String>> {
    let there = trap.server()?;
    if there.captures >= captures && there.pictures >= captures {
        return Ok(None);
    }
    let here = trap.status()?;
    let number = |name: &str| here.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(Some(format!(
        "of {captures} captures the server has {} and {} pictures; {} records and {} pictures wait",
        there.captures,
        there.pictures,
        number("records_waiting"),
        number("pictures_waiting"),
    )))
}

pub(super) fn captures(status: &Value) -> u64 {
    status.get("captures").and_then(Value::as_u64).unwrap_or(0)
}

/// Part and words of each fault.
fn faults(status: &Value) -> Vec<(String, String)> {
    let all = status.get("faults").and_then(Value::as_array);
    let word = |fault: &Value, name: &str| {
        fault
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let faults = all.into_iter().flatten();
    faults
        .map(|fault| (word(fault, "part"), word(fault, "message")))
        .collect()
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The rows of a table, each cell with the heading of its column.
pub(crate) fn rows(table: &str) -> Vec<Vec<(String, String)>> {
    let mut lines = table.lines().filter(|line| !line.is_empty()).map(cells);
    let Some(headings) = lines.next() else {
        return Vec::new();
    };
    let row = |cells: Vec<String>| headings.iter().cloned().zip(cells).collect();
    lines.map(row).collect()
}

/// The cells of a line; one with a comma stands in quotation marks.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells
                .last_mut()
                .into_iter()
                .for_each(|cell| cell.push(letter)),
        }
    }
    cells
}

fn last_cell(table: &str, column: &str) -> Option<String> {
    let row = rows(table).pop()?;
    row.into_iter()
        .find(|(name, _)| name == column)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_cell_of_a_column() {
        let table = "reading,temperature_c,note\na-1,21.5,\"cold, wet\"\na-2,,x\n";
        assert_eq!(last_cell(table, "temperature_c"), Some(String::new()));
        assert_eq!(last_cell(table, "wind"), None);
        assert_eq!(rows(table)[0][2].1, "cold, wet");
    }
}
