//! The card's file as it lies on the card, and the settings files beside the agent.

use super::{BYTES_MAX, CARD_FILE, CardProblem};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// The bytes of the file in the folder `card`; of a longer one only what shows that it is too long.
///
/// # Errors
/// Why it cannot be read, with what to do.
pub fn read_from(card: &Path) -> Result<Vec<u8>, CardProblem> {
    let file = match File::open(card.join(CARD_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(card)),
        Err(error) => return Err(unreadable(&error)),
    };
    read(file).map_err(|error| unreadable(&error))
}

/// The bytes of any file, for a check at a desk.
///
/// # Errors
/// What the system says.
pub fn read_one(file: &Path) -> std::io::Result<Vec<u8>> {
    read(File::open(file)?)
}

/// A text file that may be absent.
#[must_use]
pub fn read_if_there(file: &Path) -> Option<String> {
    String::from_utf8(read_one(file).ok()?).ok()
}

fn read(file: File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(error: &std::io::Error) -> CardProblem {
    CardProblem::of_file(
        format!("the file cannot be read: {error}"),
        "check the card in a computer; it may be worn out",
    )
}

/// Editors and browsers add to names; what looks like the file is named.
fn missing(card: &Path) -> CardProblem {
    let names = std::fs::read_dir(card).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let alike = names
        .filter(|name| !name.starts_with('.') && !name.contains("status"))
        .find(|name| name.to_ascii_lowercase().starts_with("trapline"));
    let remedy = match alike {
        Some(name) => format!("there is a file {name:?}: rename it to {CARD_FILE}"),
        None => format!("put one there; docs/CARD.md and every fresh card have it ({CARD_FILE})"),
    };
    CardProblem::of_file("there is no such file on the card", remedy)
}
