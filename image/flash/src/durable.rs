//! Small files that are whole or not there, whatever happens to the computer.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

/// Puts `bytes` there, readable for the owner of its folder alone.
///
/// # Errors
/// What the system says; the file is then the old one.
#[expect(
    clippy::disallowed_methods,
    reason = "the folder is synced right after it"
)]
pub fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut open = options.open(&part)?;
    open.write_all(bytes)?;
    if let Ok(owner) = std::fs::metadata(folder) {
        // Under `sudo` the person whose folder it is can still print the labels.
        let _still_ours = fchown(&open, Some(owner.uid()), Some(owner.gid()));
    }
    open.sync_all()?;
    std::fs::rename(&part, file)?;
    File::open(folder)?.sync_all()
}
