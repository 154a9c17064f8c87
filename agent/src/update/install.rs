//! Installing a bundle, as root: it is taken from whoever laid it, proved and written by
//! RAUC into the slot that does not run, and what came of it is written down.
//!
//! Before RAUC is asked, the record says that it will be, so that an installation that
//! takes the trap down is counted, and given up after a few. A bundle that was refused
//! is not tried again until somebody asks for it.

use super::incoming::{BUNDLE, bundles, hash, ready_dir};
use super::permission;
use super::record::{Record, RefusedBundle, Update, UpdateState, make_folders, record_dir};
use super::settle::Place;
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::fmt;
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use trapline_store::{Disk as _, OsDisk, Upgrade};
use trapline_wire::limits::BUNDLE_BYTES_MAX;
use trapline_wire::v1::is_version;

/// Installations of one bundle that were begun without an end, before it is given up.
const STARTS_MAX: u32 = 3;
const CHUNK_BYTES: usize = 1024 * 1024;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outcome {
    /// There was no bundle.
    Nothing,
    /// It is in the other slot, which the next start takes.
    Installed {
        /// Its version.
        version: String,
    },
    /// The trap has it already.
    Known {
        /// Its version.
        version: String,
    },
    /// It was not installed, now or before.
    Refused {
        /// Its version, as far as it is known.
        version: String,
        /// Why, in a sentence.
        reason: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => writeln!(f, "no update waits"),
            Self::Installed { version } => writeln!(
                f,
                "{version} is installed; it proves itself at the next start"
            ),
            Self::Known { version } => writeln!(f, "{version} was installed already"),
            Self::Refused { version, reason } => writeln!(f, "{version} is refused: {reason}"),
        }
    }
}

/// Whether a bundle is installed that was refused before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// A person asks for it.
    Yes,
    /// Nobody does.
    No,
}

/// Installs the bundle that waits: one whose installation was cut, or one that the agent laid.
///
/// # Errors
/// When the running slot is not confirmed yet, or the card refuses.
pub fn waiting(place: &Place, now_ms: i64) -> anyhow::Result<Outcome> {
    may_install(place)?;
    let own = record_dir(&place.dir);
    let found = match bundles(&own)?.pop() {
        Some(cut) => Some(cut),
        None => match bundles(&ready_dir(&place.dir))?.pop() {
            Some(laid) => Some(take(&laid, &own)?),
            None => None,
        },
    };
    match found {
        Some(file) => install(place, &file, Again::No, now_ms),
        None => Ok(Outcome::Nothing),
    }
}

/// Installs a bundle of a person: a file, or the last by name of a folder such as a stick's.
///
/// # Errors
/// As for [`waiting`], and when it cannot be copied.
pub fn brought(place: &Place, from: &Path, again: Again, now_ms: i64) -> anyhow::Result<Outcome> {
    let bundle = if from.is_dir() {
        bundles(from)?.pop()
    } else {
        Some(from.to_owned())
    };
    let Some(bundle) = bundle else {
        return Ok(Outcome::Nothing);
    };
    may_install(place)?;
    let own = record_dir(&place.dir);
    make_folders(&[&place.dir, &own])?;
    let file = copy(&bundle, &own)?;
    install(place, &file, again, now_ms)
}

/// Installing overwrites the slot to go back to, so nothing is before the running one is good.
fn may_install(place: &Place) -> anyhow::Result<()> {
    if permission::upgrade(Some(&place.slot), &place.run_dir) == Upgrade::Refused {
        bail!("the running system has to prove itself before another is installed");
    }
    Ok(())
}

fn install(place: &Place, file: &Path, again: Again, now_ms: i64) -> anyhow::Result<Outcome> {
    let mut record = Record::read_or_none(&place.dir);
    let found = hash(file).with_context(|| format!("cannot read {}", file.display()))?;
    let sha256 = found.to_string();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let before = record
        .update
        .as_ref()
        .filter(|update| update.sha256 == sha256);
    let starts = match before.map(|update| &update.state) {
        Some(UpdateState::Installed | UpdateState::Confirmed) if again == Again::No => {
            let version = stem.into_owned();
            remove(file)?;
            return Ok(Outcome::Known { version });
        }
        Some(UpdateState::Ready) => record.install_starts + 1,
        _ => 1,
    };
    if let Some(refused) = record.refusal(&sha256).filter(|_| again == Again::No) {
        let (version, reason) = (refused.version.clone(), refused.reason.clone());
        remove(file)?;
        return Ok(Outcome::Refused { version, reason });
    }
    record.refused.retain(|known| known.sha256 != sha256);
    record.install_starts = starts;
    record.trial_failure = None;
    record.update = Some(Update {
        version: stem.into_owned(),
        sha256,
        state: UpdateState::Ready,
        since_ms: now_ms,
    });
    let done = if starts > STARTS_MAX && again == Again::No {
        Err(format!("its installation was cut off {STARTS_MAX} times"))
    } else {
        record.keep(&place.dir)?;
        ask_rauc(place, &mut record, file)
    };
    let version = record.update.as_ref().map(|update| update.version.clone());
    let version = version.unwrap_or_default();
    let outcome = match done {
        Ok(()) => {
            record.step(UpdateState::Installed, now_ms);
            Outcome::Installed { version }
        }
        Err(reason) => {
            refuse(&mut record, &reason, now_ms);
            Outcome::Refused { version, reason }
        }
    };
    record.keep(&place.dir)?;
    remove(file)?;
    Ok(outcome)
}

/// RAUC proves the bundle, says its version, and writes it.
fn ask_rauc(place: &Place, record: &mut Record, file: &Path) -> Result<(), String> {
    let said = place
        .rauc
        .version_of(file)
        .map_err(|error| because(&error))?;
    if let Some(update) = record.update.as_mut().filter(|_| is_version(&said)) {
        update.version = said;
    }
    place.rauc.install(file).map_err(|error| because(&error))
}

fn because(error: &anyhow::Error) -> String {
    let words = format!("{error:#}");
    if words.contains("signature") || words.contains("certificate") {
        return format!("its signature is not of a key that this trap knows ({words})");
    }
    words
}

fn refuse(record: &mut Record, reason: &str, now_ms: i64) {
    if let Some(update) = record.update.clone() {
        record.refuse(RefusedBundle {
            sha256: update.sha256,
            version: update.version,
            reason: reason.to_owned(),
        });
    }
    record.step(
        UpdateState::Refused {
            reason: reason.to_owned(),
        },
        now_ms,
    );
}

/// Takes a file away from the agent, which cannot change it any more by its name.
fn take(laid: &Path, own: &Path) -> anyhow::Result<PathBuf> {
    let what = || format!("{} cannot be taken", laid.display());
    let name = laid.file_name().with_context(what)?;
    let place = own.join(name);
    OsDisk.make_folder(own).with_context(what)?;
    if !laid.symlink_metadata().with_context(what)?.is_file() {
        remove(laid)?;
        bail!("{} was no file and is removed", laid.display());
    }
    OsDisk.rename(laid, &place).with_context(what)?;
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(&place, Some(0), Some(0)).with_context(what)?;
    }
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o600)).with_context(what)?;
    OsDisk.sync_folder(own).with_context(what)?;
    Ok(place)
}

fn copy(bundle: &Path, own: &Path) -> anyhow::Result<PathBuf> {
    let what = || format!("{} cannot be copied", bundle.display());
    let stem = bundle.file_stem().unwrap_or_default().to_string_lossy();
    if !is_version(&stem) {
        bail!(
            "a bundle cannot be called `{stem}`: its name needs 1 to 64 letters, digits, `.`, \
             `-`, `_`, `+` or `~`"
        );
    }
    let size_bytes = bundle.metadata().with_context(what)?.len();
    let free_bytes = OsDisk.free_bytes(own).with_context(what)?;
    if size_bytes > BUNDLE_BYTES_MAX || free_bytes < size_bytes {
        bail!("{size_bytes} bytes have no room: {free_bytes} are free");
    }
    let part = own.join("brought.part");
    let place = own.join(format!("{stem}.{BUNDLE}"));
    copy_durably(bundle, &part)
        .and_then(|()| OsDisk.rename(&part, &place))
        .and_then(|()| OsDisk.sync_folder(own))
        .with_context(what)?;
    Ok(place)
}

fn copy_durably(from: &Path, to: &Path) -> io::Result<()> {
    OsDisk.remove(to)?;
    let mut from = std::fs::File::open(from)?;
    let mut to = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk)?;
        match chunk.get(..read) {
            Some([]) | None => break,
            Some(bytes) => io::Write::write_all(&mut to, bytes)?,
        }
    }
    to.sync_all()
}

fn remove(file: &Path) -> anyhow::Result<()> {
    let removed = OsDisk.remove(file);
    removed.with_context(|| format!("{} cannot be removed", file.display()))
}

#[cfg(test)]
mod tests;
