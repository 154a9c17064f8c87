//! The files of the repository, as git sees them.

use crate::process;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) size_bytes: u64,
    /// `None` when the file is no text.
    pub(super) text: Option<String>,
}

pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let listing = process::output(Command::new("git").current_dir(root).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let mut paths: Vec<&str> = listing.lines().collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths
            .into_iter()
            .filter_map(|path| read(root, path))
            .collect();
        Ok(Self { files })
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)?
            .text
            .as_deref()
    }

    /// Rust sources with their text.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &str)> {
        self.files
            .iter()
            .filter(|file| file.path.ends_with(".rs"))
            .filter_map(|file| Some((file, file.text.as_deref()?)))
    }
}

fn read(root: &Path, path: &str) -> Option<File> {
    let bytes = std::fs::read(root.join(path)).ok()?;
    let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Some(File {
        path: path.to_owned(),
        size_bytes,
        text: String::from_utf8(bytes).ok(),
    })
}
