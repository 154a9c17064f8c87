//! Small files that survive a power cut: written beside the old one, synced,
//! renamed. What is the same already is not written again; cards wear out.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;
use trapline_store::OsDisk;
use trapline_store::disk::Disk as _;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// The group's number, where it is not the writer's.
    pub group: Option<u32>,
}

impl Access {
    /// Readable for everybody.
    pub const ALL: Self = Self {
        mode: 0o644,
        group: None,
    };
    /// Readable for the writer alone.
    pub const OWN: Self = Self {
        mode: 0o600,
        group: None,
    };
}

/// Puts `bytes` there; says whether anything had to be written.
///
/// # Errors
/// What the system says; the file is then the old one.
pub fn write(file: &Path, bytes: &[u8], access: Access) -> io::Result<bool> {
    if is_same(file, bytes, access) {
        return Ok(false);
    }
    let folder = folder_of(file);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let part = folder.join(format!(".{name}.part"));
    OsDisk.remove(&part)?;
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(access.mode)
        .open(&part)?;
    if let Some(group) = access.group {
        fchown(&open, None, Some(group))?;
    }
    open.write_all(bytes)?;
    open.sync_all()?;
    drop(open);
    OsDisk.rename(&part, file)?;
    OsDisk.sync_folder(folder)?;
    Ok(true)
}

/// Takes a file away for good; says whether there was one.
///
/// # Errors
/// What the system says.
pub fn remove(file: &Path) -> io::Result<bool> {
    if !file.exists() {
        return Ok(false);
    }
    OsDisk.remove(file)?;
    OsDisk.sync_folder(folder_of(file))?;
    Ok(true)
}

/// Makes a folder and those above it.
///
/// # Errors
/// What the system says.
pub fn folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = folder_of(path);
    folder(above, 0o755)?;
    OsDisk.make_folder(path)?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, permissions)?;
    OsDisk.sync_folder(above)
}

/// Writes what need not survive the boot.
///
/// # Errors
/// What the system says.
pub fn for_this_boot(file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    OsDisk.remove(file)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options.open(file)?.write_all(bytes)
}

/// The folder in which a path ends, of `name` alone the present one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn is_same(file: &Path, bytes: &[u8], access: Access) -> bool {
    let Ok(open) = File::open(file).and_then(|open| open.metadata()) else {
        return false;
    };
    let is_group = access.group.is_none_or(|group| open.gid() == group);
    // FAT knows no permissions, and says the same of every file.
    let is_mode = open.mode() & 0o777 == access.mode || access == Access::ALL;
    is_group && is_mode && std::fs::read(file).is_ok_and(|kept| kept == bytes)
}
