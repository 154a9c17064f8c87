//! The password of the page: random, one for each trap, kept beside the ledger
//! for the agent's user alone, and short enough to type with wet gloves.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use trapline_wire::Sha256;

/// In the ledger's folder.
pub const PASSWORD_FILE: &str = "page-password";
/// Letters and digits that nobody mistakes for each other.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Two groups of five are 49 bits.
const LETTERS_WANTED: usize = 10;
/// Nobody types more; what is longer is not looked at.
const TYPED_BYTES_MAX: usize = 64;

/// The password, in small letters without anything between them.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// The trap's password; drawn and kept at the first call.
    ///
    /// # Errors
    /// When the folder cannot be written or there are no random numbers.
    pub fn of_trap(dir: &Path) -> io::Result<Self> {
        let file = dir.join(PASSWORD_FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                if let Some(password) = Self::parse(&text) {
                    return Ok(password);
                }
                // Half a file of a power cut, which nobody has seen yet.
                std::fs::remove_file(&file)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let password = Self::draw()?;
        let mut open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)?;
        open.write_all(format!("{}\n", password.0).as_bytes())?;
        open.sync_all()?;
        Ok(password)
    }

    /// The trap's password, where one was drawn already.
    #[must_use]
    pub fn kept(dir: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(dir.join(PASSWORD_FILE)).ok()?)
    }

    /// A new one, kept nowhere.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn draw() -> io::Result<Self> {
        let mut letters = String::new();
        while letters.len() < LETTERS_WANTED {
            let mut byte = [0];
            getrandom::fill(&mut byte)
                .map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
            let [byte] = byte;
            // What falls beyond the letters is drawn again, so that all are alike likely.
            if let Some(letter) = LETTERS.get(usize::from(byte & 31)) {
                letters.push(char::from(*letter));
            }
        }
        Ok(Self(letters))
    }

    fn parse(text: &str) -> Option<Self> {
        let letters = text.trim();
        let is_ours = letters.len() == LETTERS_WANTED
            && letters.bytes().all(|letter| LETTERS.contains(&letter));
        is_ours.then(|| Self(letters.to_owned()))
    }

    /// Whether somebody typed it, in whatever case and with whatever between the letters.
    #[must_use]
    pub fn fits(&self, typed: &str) -> bool {
        let typed: String = typed
            .chars()
            .take(TYPED_BYTES_MAX)
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        is_same(typed.as_bytes(), self.0.as_bytes())
    }

    /// As people read it: `k7mpx-3xqda`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.0.split_at_checked(LETTERS_WANTED / 2) {
            Some((first, second)) => format!("{first}-{second}"),
            None => self.0.clone(),
        }
    }

    /// As machines read it: `k7mpx3xqda`.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.0
    }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (Sha256::of(one), Sha256::of(other));
    let pairs = one.as_bytes().iter().zip(other.as_bytes());
    let differences = pairs.fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_drawn_once_and_kept_for_the_agent_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = Password::of_trap(dir.path()).unwrap();
        assert_eq!(Password::of_trap(dir.path()).unwrap(), first);
        let file = std::fs::metadata(dir.path().join(PASSWORD_FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Password::of_trap(other.path()).unwrap(), first);
        assert_eq!(format!("{first:?}"), "Password", "no log shows it");
    }

    #[test]
    fn half_a_file_is_drawn_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(PASSWORD_FILE);
        std::fs::File::create(&file).unwrap();
        let drawn = Password::of_trap(dir.path()).unwrap();
        assert_eq!(drawn.bare().len(), LETTERS_WANTED);
    }

    #[test]
    fn it_fits_as_people_type_it() {
        let password = Password::parse("k7mpx3xqda\n").unwrap();
        for typed in ["k7mpx-3xqda", "K7MPX 3XQDA", " k7mpx3xqda "] {
            assert!(password.fits(typed), "{typed}");
        }
        let long = "k7mpx3xqda".repeat(1000);
        for typed in ["", "k7mpx3xqd", "k7mpx3xqdaa", "k7mpx3xqdb", &long] {
            assert!(!password.fits(typed), "{typed}");
        }
    }
}
