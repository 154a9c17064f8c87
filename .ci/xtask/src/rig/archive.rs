//! The guest's first and only file system: a cpio archive of the new ASCII form, which the kernel unpacks into memory.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const FOLDER: u32 = 0o040_755;
const LINK: u32 = 0o120_777;
const FILE: u32 = 0o100_000;

/// An archive that is being written.
pub(super) struct Archive {
    file: BufWriter<File>,
    number: u32,
}

impl Archive {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self {
            file: BufWriter::new(file),
            number: 0,
        })
    }

    pub(super) fn folder(&mut self, name: &str) -> Result<()> {
        self.entry(name, FOLDER, &[])
    }

    pub(super) fn link(&mut self, name: &str, to: &str) -> Result<()> {
        self.entry(name, LINK, to.as_bytes())
    }

    /// A file with these bytes that may be run.
    pub(super) fn program(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.entry(name, FILE | 0o755, bytes)
    }

    /// A copy of a file of the desk, followed where it is a link.
    pub(super) fn copy(&mut self, name: &str, from: &Path) -> Result<()> {
        let bytes =
            std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        let mode = from.metadata()?.permissions().mode() & 0o777;
        self.entry(name, FILE | mode, &bytes)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.entry("TRAILER!!!", 0, &[])?;
        self.file.flush()?;
        Ok(())
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        self.number += 1;
        let (size, name_size) = (u32::try_from(bytes.len())?, u32::try_from(name.len() + 1)?);
        let links = 1;
        let fields = [
            self.number,
            mode,
            0,
            0,
            links,
            0,
            size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        let mut head = "070701".to_owned();
        head.extend(fields.iter().map(|field| format!("{field:08x}")));
        head.push_str(name);
        head.push('\0');
        self.file.write_all(head.as_bytes())?;
        self.pad(head.len())?;
        self.file.write_all(bytes)?;
        self.pad(bytes.len())
    }

    /// Everything begins at a multiple of four bytes.
    fn pad(&mut self, length: usize) -> Result<()> {
        let zeros: Vec<u8> = std::iter::repeat_n(0, length.wrapping_neg() % 4).collect();
        self.file.write_all(&zeros)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_form_that_the_kernel_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cpio");
        let mut archive = Archive::create(&path).unwrap();
        archive.folder("bin").unwrap();
        archive.program("bin/x", b"hello").unwrap();
        archive.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let heads = bytes.windows(6).filter(|word| word == b"070701").count();
        assert_eq!(heads, 3);
        assert!(bytes.windows(5).any(|word| word == b"hello"));
    }
}
