//! Models for traps: checked whole when they are added, and stored as two
//! [`offered_files`](crate::offered_files) before the row that stands for them.
//!
//! Which trap is to use which model is a matter of `db::models`; what a trap
//! makes of it, of the trap.

use crate::db::{Db, ModelRow};
use crate::offered_files::{Shelf, keep};
use anyhow::{Context as _, bail};
use std::fs;
use std::path::Path;
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
    keep(data, Shelf::Models, &row.sha256, &*model_bytes)?;
    keep(data, Shelf::Models, &row.manifest_sha256, &*manifest_bytes)?;
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
