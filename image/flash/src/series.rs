//! A series of cards: which rows of the list are done, kept beside the list, so
//! that a series that was broken off goes on where it stood.

use crate::label::Label;
use crate::traps::Trap;
use crate::{durable, image};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Letters and digits that nobody mistakes for each other.
const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const LETTERS_WANTED: usize = 10;

/// The state of a series.
#[derive(Debug)]
pub struct Series {
    file: PathBuf,
    done: BTreeMap<String, Done>,
}

/// A card that was written and proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Of the row as it was then.
    row_sha256: String,
    /// Of the image.
    pub image_sha256: String,
    /// Its label.
    pub label: Option<Label>,
}

impl Series {
    /// The series of a list; a fresh one where none was begun.
    ///
    /// # Errors
    /// When its file cannot be read or is damaged.
    pub fn of_list(list: &Path) -> Result<Self> {
        let mut file = list.as_os_str().to_owned();
        file.push(".done.json");
        let file = PathBuf::from(file);
        let done = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} is damaged; remove it to begin anew", file.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        Ok(Self { file, done })
    }

    /// Whether the card of this very row was written.
    #[must_use]
    pub fn is_done(&self, trap: &Trap) -> bool {
        self.done
            .get(&trap.name)
            .is_some_and(|done| done.row_sha256 == hash(trap))
    }

    /// Notes that it was.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub fn note(&mut self, trap: &Trap, image_sha256: &str, label: Option<Label>) -> Result<()> {
        let done = Done {
            row_sha256: hash(trap),
            image_sha256: image_sha256.to_owned(),
            label,
        };
        self.done.insert(trap.name.clone(), done);
        let text = serde_json::to_vec_pretty(&self.done)?;
        durable::write(&self.file, &text)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// A card is to be written once more.
    pub fn forget(&mut self, name: &str) {
        self.done.remove(name);
    }

    /// The labels of all cards that are done, in the list's order.
    #[must_use]
    pub fn labels(&self, traps: &[Trap]) -> Vec<Label> {
        let done = traps.iter().filter_map(|trap| self.done.get(&trap.name));
        done.filter_map(|done| done.label.clone()).collect()
    }
}

/// A password for a trap's own Wi-Fi, as short as it may be typed with wet gloves.
///
/// # Errors
/// When the system gives no random numbers.
pub fn draw_password() -> Result<String> {
    let mut letters = String::new();
    while letters.len() <= LETTERS_WANTED {
        if letters.len() == LETTERS_WANTED / 2 {
            letters.push('-');
        }
        let mut byte = [0];
        getrandom::fill(&mut byte)
            .map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let [byte] = byte;
        // What falls beyond the letters is drawn again, so that all are alike likely.
        if let Some(letter) = LETTERS.get(usize::from(byte & 31)) {
            letters.push(char::from(*letter));
        }
    }
    Ok(letters)
}

fn hash(trap: &Trap) -> String {
    image::hex(&Sha256::digest(
        serde_json::to_vec(trap).unwrap_or_default(),
    ))
}
