//! A package's files, laid out in a folder until they are packed.

use crate::process;
use anyhow::{Context as _, Result};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty tree; what stood there before is gone.
    pub(super) fn empty(root: &Path) -> Result<Self> {
        if root.exists() {
            std::fs::remove_dir_all(root)?;
        }
        std::fs::create_dir_all(root)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn copy(&self, from: &Path, to: &str, mode: u32) -> Result<()> {
        let bytes =
            std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.put(to, &bytes, mode)
    }

    pub(super) fn write(&self, to: &str, text: &str, mode: u32) -> Result<()> {
        self.put(to, text.as_bytes(), mode)
    }

    fn put(&self, to: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let path = self.path(to);
        let folder = path
            .parent()
            .context("a file of a package lies in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, bytes)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Compresses a file, without the time at which that was done.
    pub(super) fn zip(&self, name: &str) -> Result<()> {
        process::run(
            Command::new("gzip")
                .args(["-9", "-n", "-f"])
                .arg(self.path(name)),
        )
    }

    /// All files that get installed, by their paths from the root, in order.
    pub(super) fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(&self.root)?.to_str() {
                    files.push(name.to_owned());
                }
            }
        }
        files.retain(|name| !name.starts_with("DEBIAN/"));
        files.sort();
        Ok(files)
    }

    /// Packs the tree; `epoch` is the newest time that any file may have.
    pub(super) fn pack(&self, epoch: &str, package: &Path) -> Result<()> {
        self.settle(&self.root)?;
        let mut command = Command::new("dpkg-deb");
        // One thread and one format: neither the machine nor its release shows in the bytes.
        command
            .args([
                "--root-owner-group",
                "-Zxz",
                "-z6",
                "--threads-max=1",
                "--build",
            ])
            .arg(&self.root)
            .arg(package)
            .env("SOURCE_DATE_EPOCH", epoch);
        process::output(&mut command).map(drop)
    }

    /// Folders have the usual mode, whatever the desk's own is.
    fn settle(&self, folder: &Path) -> Result<()> {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.settle(&path)?;
            }
        }
        Ok(())
    }
}
