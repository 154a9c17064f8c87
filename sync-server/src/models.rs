//! Models for traps: checked whole when they are added, stored by content, and
//! handed out piece by piece.
//!
//! `DATA/models/<sha256>` holds model files and manifests alike. A file is
//! synced before it gets its name and its folder before the row is committed,
//! so every row stands for two files that are there. Which trap is to use which
//! model is a matter of `db::models`; what a trap makes of it, of the trap.

mod serve;

pub(crate) use serve::router;

use crate::db::{Db, ModelRow};
use crate::problem::Failure;
use anyhow::{Context as _, bail};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use trapline_detect::{Detector, Manifest};
use trapline_wire::Sha256;
use trapline_wire::limits::{MANIFEST_BYTES_MAX, MODEL_BYTES_MAX, TEXT_BYTES_MAX};

/// What adding a model came to.
#[derive(Debug)]
pub(crate) enum Added {
    /// It is new here.
    New(ModelRow),
    /// The very same model was here already.
    Known(ModelRow),
}

/// Checks the model beside a manifest as a trap will, and stores both files.
///
/// # Errors
/// What is wrong with the model, or with the disk.
pub(crate) fn add(db: &mut Db, data: &Path, path: &Path, now_ms: i64) -> anyhow::Result<Added> {
    let manifest_bytes = read(path, MANIFEST_BYTES_MAX)?;
    let text = std::str::from_utf8(&manifest_bytes)
        .with_context(|| format!("the model manifest {} is no text", path.display()))?;
    let manifest = Manifest::parse(text, path)?;
    check_names(&manifest)?;
    let model_path = path.with_file_name(&manifest.file);
    let model_bytes = read(&model_path, MODEL_BYTES_MAX)?;
    manifest.verify(&model_bytes, &model_path)?;
    // The whole check of the tensors, so that no trap fetches what it cannot load.
    Detector::load(path)?;
    let row = ModelRow {
        id: manifest.id.clone(),
        sha256: Sha256::of(&model_bytes),
        size_bytes: model_bytes.len() as u64,
        manifest_sha256: Sha256::of(&manifest_bytes),
        manifest_size_bytes: manifest_bytes.len() as u64,
        card: manifest.card.unwrap_or_default(),
        added_ms: now_ms,
    };
    if let Some(known) = db.model(&row.id)? {
        if known.manifest_sha256 == row.manifest_sha256 {
            return Ok(Added::Known(known));
        }
        bail!(
            "there is a model `{}` already, and this is another one: give it an id of its own",
            row.id
        );
    }
    keep(data, &row.sha256, &model_bytes)?;
    keep(data, &row.manifest_sha256, &manifest_bytes)?;
    if !db.add_model(&row)? {
        bail!("a model with this id or this manifest was added at the same time");
    }
    Ok(Added::New(row))
}

/// A trap puts the two files side by side in a folder of its own.
fn check_names(manifest: &Manifest) -> anyhow::Result<()> {
    if manifest.id.len() > TEXT_BYTES_MAX || manifest.id.chars().any(char::is_control) {
        bail!("the manifest's `id` needs at most {TEXT_BYTES_MAX} printable characters");
    }
    if manifest.file == "manifest.toml" || manifest.file.starts_with('.') {
        bail!("a model file cannot be called `{}`", manifest.file);
    }
    Ok(())
}

fn read(path: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let size_bytes = fs::metadata(path).with_context(cannot)?.len();
    if size_bytes > bytes_max {
        bail!(
            "{} has {size_bytes} bytes, more than the {bytes_max} that a trap takes",
            path.display()
        );
    }
    fs::read(path).with_context(cannot)
}

/// Where the file of that content is.
fn place(data: &Path, sha256: &Sha256) -> PathBuf {
    data.join("models").join(sha256.to_string())
}

/// Stores a file under its content's name; one that is there is written anew,
/// which mends a damaged one.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the durable rename: file synced before, folder synced after"
)]
fn keep(data: &Path, sha256: &Sha256, bytes: &[u8]) -> Result<(), Failure> {
    let folder = data.join("models");
    fs::create_dir_all(&folder).map_err(Failure::file("make the folder", &folder))?;
    sync_folder(data)?;
    let path = place(data, sha256);
    let half = path.with_extension("half");
    let written = File::create(&half).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(Failure::file("write", &half))?;
    fs::rename(&half, &path).map_err(Failure::file("name", &path))?;
    sync_folder(&folder)
}

fn sync_folder(folder: &Path) -> Result<(), Failure> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Failure::file("sync the folder", folder))
}

/// Opens a stored file for reading, with its size; `None` when it is not here.
fn open(data: &Path, sha256: &Sha256) -> Result<Option<(File, u64)>, Failure> {
    let path = place(data, sha256);
    match File::open(&path).and_then(|file| file.metadata().map(|facts| (file, facts.len()))) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("open", &path)(error)),
    }
}
