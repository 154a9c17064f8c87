//! The disk of a machine under test: a copy of the image. It is written to from outside only while the machine is off.

use crate::process;
use anyhow::{Context as _, Result, bail};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the card of a trap holds, so that the first boot has something to grow into; a card is a power of two.
const CARD_BYTES: u64 = 4 << 30;

/// A disk in a file.
pub(super) struct Disk {
    pub(super) path: PathBuf,
}

/// Where a partition lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start_bytes: u64,
    pub(super) size_bytes: u64,
}

/// A file that is laid into a file system.
#[derive(Debug, Clone)]
pub(super) struct Laid {
    pub(super) from: PathBuf,
    pub(super) to: String,
    pub(super) is_program: bool,
}

impl Disk {
    /// A copy of `image` at `to`, as large as a trap's card.
    pub(super) fn copy(image: &Path, to: &Path) -> Result<Self> {
        let mut copy = Command::new("cp");
        process::run(
            copy.args(["--sparse=always", "--reflink=auto"])
                .arg(image)
                .arg(to),
        )?;
        let file = std::fs::OpenOptions::new().write(true).open(to)?;
        let size_bytes = file.metadata()?.len().max(CARD_BYTES);
        file.set_len(size_bytes)?;
        Ok(Self {
            path: to.to_owned(),
        })
    }

    /// The partition of that number, from 1 to 4.
    pub(super) fn partition(&self, number: usize) -> Result<Span> {
        let mut record = [0_u8; 512];
        std::fs::File::open(&self.path)?.read_exact(&mut record)?;
        span(&record, number)
            .with_context(|| format!("{} has no partition {number}", self.path.display()))
    }

    /// Puts a file of that text beside the firmware, where a technician's computer sees it.
    pub(super) fn put_on_card(&self, name: &str, text: &str) -> Result<()> {
        let own = self.path.with_extension("card-file");
        std::fs::write(&own, text)?;
        let mut copy = Command::new("mcopy");
        copy.env("MTOOLS_SKIP_CHECK", "1")
            .args(["-o", "-i"])
            .arg(self.card()?)
            .arg(&own)
            .arg(format!("::{name}"));
        process::output(&mut copy)?;
        std::fs::remove_file(own)?;
        Ok(())
    }

    /// The text of a file that a technician's computer sees.
    pub(super) fn card_file(&self, name: &str) -> Result<String> {
        let mut show = Command::new("mtype");
        show.env("MTOOLS_SKIP_CHECK", "1")
            .arg("-i")
            .arg(self.card()?)
            .arg(format!("::{name}"));
        process::output(&mut show)
    }

    /// Copies a file of the first partition to a folder of this machine.
    pub(super) fn take_from_card(&self, name: &str, to: &Path) -> Result<()> {
        let mut copy = Command::new("mcopy");
        copy.env("MTOOLS_SKIP_CHECK", "1")
            .args(["-o", "-i"])
            .arg(self.card()?)
            .arg(format!("::{name}"))
            .arg(to);
        process::output(&mut copy).map(drop)
    }

    /// The first partition as mtools take it.
    fn card(&self) -> Result<String> {
        let start = self.partition(1)?.start_bytes;
        Ok(format!("{}@@{start}", self.path.display()))
    }

    /// Lays files and links into the file system of a partition.
    pub(super) fn lay(&self, number: usize, files: &[Laid], links: &[(&str, &str)]) -> Result<()> {
        let start = self.partition(number)?.start_bytes;
        lay(
            &format!("{}?offset={start}", self.path.display()),
            files,
            links,
        )
    }
}

/// Lays files and links into an ext4 file system; `links` are pairs of a link's path and what it points to.
pub(super) fn lay(filesystem: &str, files: &[Laid], links: &[(&str, &str)]) -> Result<()> {
    let mut orders = String::from("mkdir /usr/lib/rig\n");
    for Laid {
        from,
        to,
        is_program,
    } in files
    {
        let mode = if *is_program { "0100755" } else { "0100644" };
        writeln!(orders, "rm {to}\nwrite {} {to}", from.display())?;
        for (field, value) in [("mode", mode), ("uid", "0"), ("gid", "0")] {
            writeln!(orders, "set_inode_field {to} {field} {value}")?;
        }
    }
    for (link, target) in links {
        writeln!(orders, "rm {link}\nsymlink {link} {target}")?;
    }
    let list = std::env::temp_dir().join(format!("trapline-lay-{}", std::process::id()));
    std::fs::write(&list, &orders)?;
    let mut debugfs = Command::new("debugfs");
    debugfs.args(["-w", "-f"]).arg(&list).arg(filesystem);
    let done = debugfs.output().context("cannot start debugfs")?;
    std::fs::remove_file(&list)?;
    let complaints = String::from_utf8_lossy(&done.stderr);
    // It ends well whatever happens; that a file to be replaced is not there is no complaint.
    let bad = complaints
        .lines()
        .skip(1)
        .find(|line| !line.starts_with("rm:") && !line.is_empty() && !line.contains("mkdir:"));
    match bad {
        Some(bad) => bail!("debugfs, laying files into {filesystem}: {bad}"),
        None => Ok(()),
    }
}

fn span(record: &[u8; 512], number: usize) -> Option<Span> {
    let at = 446 + number.checked_sub(1)? * 16;
    let entry = record.get(at..at + 16)?;
    let sectors = |from: usize| -> Option<u64> {
        let bytes = entry.get(from..from + 4)?.first_chunk::<4>()?;
        Some(u64::from(u32::from_le_bytes(*bytes)))
    };
    let (start, count) = (sectors(8)?, sectors(12)?);
    (number <= 4 && count > 0).then_some(Span {
        start_bytes: start * 512,
        size_bytes: count * 512,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_found_by_its_number() {
        let mut record = [0_u8; 512];
        record[446 + 16 + 8..446 + 16 + 12].copy_from_slice(&2048_u32.to_le_bytes());
        record[446 + 16 + 12..446 + 16 + 16].copy_from_slice(&16_u32.to_le_bytes());
        let found = span(&record, 2).unwrap();
        assert_eq!((found.start_bytes, found.size_bytes), (1 << 20, 8192));
        assert_eq!(span(&record, 1), None);
        assert_eq!(span(&record, 5), None);
    }

    #[test]
    fn files_are_laid_into_a_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let filesystem = folder.path().join("root");
        std::fs::create_dir_all(folder.path().join("tree/usr/lib")).unwrap();
        let made = Command::new("mke2fs")
            .args(["-q", "-t", "ext4", "-d"])
            .arg(folder.path().join("tree"))
            .arg(&filesystem)
            .arg("8M")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let file = folder.path().join("hello");
        std::fs::write(&file, "hello").unwrap();
        let laid = Laid {
            from: file,
            to: "/usr/lib/rig/hello".to_owned(),
            is_program: true,
        };
        let name = filesystem.display().to_string();
        for _ in 0..2 {
            lay(
                &name,
                std::slice::from_ref(&laid),
                &[("/usr/lib/rig/link", "hello")],
            )
            .unwrap();
        }
        let shown = Command::new("debugfs")
            .args(["-R", "cat /usr/lib/rig/hello"])
            .arg(&filesystem)
            .output()
            .unwrap();
        assert_eq!(shown.stdout, b"hello");
        let lost = Laid {
            from: folder.path().join("nowhere"),
            ..laid
        };
        assert!(lay(&name, &[lost], &[]).is_err());
    }
}
