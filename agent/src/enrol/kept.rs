//! The trap's identity on its card: a file beside the ledger for the agent's user
//! alone, replaced in one step so that a power cut leaves the old one or the new one.

use super::{EnrolFacts, EnrolState};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use trapline_hal::pi::fingerprint::Fingerprint;
use trapline_store::{Disk as _, OsDisk};
use trapline_wire::identity::from_hex;
use trapline_wire::v1::Hardware;
use trapline_wire::{Identity, Sha256};

/// In the ledger's folder.
pub const IDENTITY_FILE: &str = "identity.json";
const FINGERPRINT_CHARS: usize = 16;

/// Everything that is kept of an identity.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The secret seed, in hexadecimal digits.
    seed: String,
    /// What the identity was made in, as far as it said something.
    pub hardware: Hardware,
    /// The server that has it.
    #[serde(default)]
    pub enrolled: Option<Enrolled>,
    /// Why nothing is delivered.
    #[serde(default)]
    pub parked: Option<Parked>,
    /// A person said that this card goes on as the trap; the server does not know yet.
    #[serde(default)]
    pub replaces_card: bool,
    /// When the card was last found in another computer, and that it was.
    #[serde(default)]
    pub moved_ms: Option<i64>,
}

/// A server that has the trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Its address.
    pub url: String,
    /// The trap's name there.
    pub name: String,
}

/// A card that is a copy, or of which a copy is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Since when, believed UTC in milliseconds.
    pub since_ms: i64,
    /// Why, with the remedy.
    pub why: String,
    /// The fingerprint of the original's card, where the trap noticed it itself.
    #[serde(default)]
    pub original: Option<String>,
}

/// What is new about the hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// Nothing that matters.
    Same,
    /// The same card in another computer: somebody moved it.
    Moved,
    /// Another card: everything on it was copied.
    Copied,
}

/// What changed from `known` to `now`. Parts that say nothing change nothing.
#[must_use]
pub fn noticed(known: &Hardware, now: &Hardware) -> Noticed {
    let differ = |known: &Option<String>, now: &Option<String>| {
        known.is_some() && now.is_some() && known != now
    };
    if differ(&known.card, &now.card) {
        Noticed::Copied
    } else if differ(&known.board, &now.board) {
        Noticed::Moved
    } else {
        Noticed::Same
    }
}

/// A fingerprint as it travels: hashed, because nobody needs the numbers themselves.
#[must_use]
pub fn hardware_of(fingerprint: &Fingerprint) -> Hardware {
    let hashed = |what: &str, words: &Option<String>| {
        let words = words.as_ref()?;
        let digest = Sha256::of(format!("trapline {what}\n{words}").as_bytes());
        Some(digest.to_string().chars().take(FINGERPRINT_CHARS).collect())
    };
    Hardware {
        card: hashed("card", &fingerprint.card),
        board: hashed("board", &fingerprint.board),
    }
}

const COPIED: &str = "cloned SD card: everything on it was copied from another trap's; \
                      pictures go on and stay on the card. Is it a new trap? \
                      `trapline-agent enrol --anew`. Is the other card gone? \
                      `trapline-agent enrol --same`. Or decide on the server, page Enrolment";

impl Kept {
    /// A new identity from 32 random bytes, made in this hardware.
    #[must_use]
    pub fn new(seed: [u8; 32], hardware: Hardware) -> Self {
        Self {
            seed: seed.iter().map(|byte| format!("{byte:02x}")).collect(),
            hardware,
            enrolled: None,
            parked: None,
            replaces_card: false,
            moved_ms: None,
        }
    }

    /// The identity in this folder; `None` when there is none yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when the card has spoilt it, or what the system says.
    pub fn read(dir: &Path) -> io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(dir.join(IDENTITY_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let kept: Self = serde_json::from_str(&text)?;
        match from_hex::<32>(&kept.seed) {
            Ok(_) => Ok(Some(kept)),
            Err(error) => Err(io::Error::new(ErrorKind::InvalidData, error)),
        }
    }

    /// Writes it down; it survives a power cut when this returns.
    ///
    /// # Errors
    /// What the system says; the old one is then still there.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let (file, part) = (
            dir.join(IDENTITY_FILE),
            dir.join(format!("{IDENTITY_FILE}.part")),
        );
        OsDisk.remove(&part)?;
        let mut open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        open.write_all(&serde_json::to_vec_pretty(self)?)?;
        open.sync_all()?;
        OsDisk.rename(&part, &file)?;
        OsDisk.sync_folder(dir)
    }

    /// Sets a file aside that cannot be read; gives its new name.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_aside(dir: &Path) -> io::Result<PathBuf> {
        let aside = dir.join(format!("{IDENTITY_FILE}.broken"));
        OsDisk.rename(&dir.join(IDENTITY_FILE), &aside)?;
        OsDisk.sync_folder(dir)?;
        Ok(aside)
    }

    /// The key pair.
    #[must_use]
    pub fn identity(&self) -> Identity {
        // It was tried when it was read or made.
        Identity::from_seed(from_hex(&self.seed).unwrap_or_default())
    }

    /// Compares the hardware with what is known; true when there is something to write down.
    pub fn look_around(&mut self, now: &Hardware, now_ms: i64) -> bool {
        let before = self.clone();
        match noticed(&self.hardware, now) {
            Noticed::Copied => {
                if self.parked.is_none() {
                    self.parked = Some(Parked {
                        since_ms: now_ms,
                        why: COPIED.to_owned(),
                        original: self.hardware.card.clone(),
                    });
                }
            }
            Noticed::Moved => {
                log::info!("the card is in another computer than before");
                self.moved_ms = Some(now_ms);
                self.hardware.board.clone_from(&now.board);
            }
            Noticed::Same => {
                let fill = |known: &mut Option<String>, now: &Option<String>| {
                    if known.is_none() {
                        known.clone_from(now);
                    }
                };
                fill(&mut self.hardware.card, &now.card);
                fill(&mut self.hardware.board, &now.board);
            }
        }
        *self != before
    }

    /// How it stands with the server at this address.
    #[must_use]
    pub fn facts(&self, url: &str) -> EnrolFacts {
        let public = self.identity().public_key();
        let enrolled = self.enrolled.as_ref().filter(|server| server.url == url);
        let state = match (&self.parked, enrolled) {
            (Some(_), _) => EnrolState::Parked,
            (None, Some(_)) => EnrolState::Enrolled,
            (None, None) => EnrolState::Asking,
        };
        EnrolFacts {
            state,
            trap: public.trap().to_string(),
            code: public.code().to_string(),
            server: url.to_owned(),
            name: enrolled.map(|server| server.name.clone()),
            why: self.parked.as_ref().map(|parked| parked.why.clone()),
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("hardware", &self.hardware)
            .field("enrolled", &self.enrolled)
            .field("parked", &self.parked)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn hardware(card: &str, board: &str) -> Hardware {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Hardware {
            card: said(card),
            board: said(board),
        }
    }

    #[test]
    fn a_card_may_move_and_a_copy_is_noticed() {
        let check = |known: (&str, &str), now: (&str, &str)| {
            noticed(&hardware(known.0, known.1), &hardware(now.0, now.1))
        };
        assert_eq!(check(("a", "1"), ("a", "1")), Noticed::Same);
        assert_eq!(check(("a", "1"), ("a", "2")), Noticed::Moved);
        assert_eq!(check(("a", "1"), ("b", "1")), Noticed::Copied);
        assert_eq!(check(("a", "1"), ("b", "2")), Noticed::Copied);
        assert_eq!(check(("", "1"), ("b", "1")), Noticed::Same);
        assert_eq!(check(("a", "1"), ("", "")), Noticed::Same);
        assert_eq!(check(("", "1"), ("b", "2")), Noticed::Moved);
    }

    #[test]
    fn it_is_kept_for_the_agent_alone_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Kept::read(dir.path()).unwrap(), None);
        let kept = Kept::new([7; 32], hardware("a", "1"));
        kept.write(dir.path()).unwrap();
        let file = dir.path().join(IDENTITY_FILE);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Kept::read(dir.path()).unwrap().as_ref(), Some(&kept));
        assert!(!format!("{kept:?}").contains("0707"), "no log shows it");
        std::fs::File::create(&file).unwrap();
        let error = Kept::read(dir.path()).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidData || error.kind() == ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_copy_parks_itself_and_the_original_does_not() {
        let mut kept = Kept::new([7; 32], hardware("a", "1"));
        assert!(!kept.look_around(&hardware("a", "1"), 5));
        assert!(kept.look_around(&hardware("b", "1"), 6));
        let parked = kept.parked.clone().unwrap();
        assert_eq!(
            (parked.since_ms, parked.original.as_deref()),
            (6, Some("a"))
        );
        assert!(!kept.look_around(&hardware("b", "1"), 7), "once is enough");
        assert_eq!(kept.facts("http://x").state, EnrolState::Parked);
        let mut moved = Kept::new([7; 32], hardware("a", "1"));
        assert!(moved.look_around(&hardware("a", "2"), 8));
        assert_eq!((moved.parked, moved.moved_ms), (None, Some(8)));
    }
}
