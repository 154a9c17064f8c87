//! `cargo xtask bundle`: a signed update that holds one root slot, as RAUC takes it.

use super::namespace;
use crate::cli::BundleArgs;
use crate::{build, process, say};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};

/// Makes the bundle with the same tools that made the image.
pub(crate) fn run(args: &BundleArgs) -> Result<()> {
    namespace::ready()?;
    let kept = build::target_folder()?.join("image");
    let path =
        |path: &Path| std::fs::canonicalize(path).with_context(|| format!("no {}", path.display()));
    let out = std::path::absolute(&args.out)?;
    let mut command = namespace::command("bundle.sh");
    command
        .env("WORKBENCH", tools(&kept)?)
        .env("SLOT", path(&args.slot_image)?)
        .env("CERT", path(&args.cert)?)
        .env("KEY", path(&args.key)?)
        .env(
            "VERSION",
            args.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION")),
        )
        .env("SOURCE_DATE_EPOCH", super::epoch_s()?.to_string())
        .env("OUT", &out);
    process::run(&mut command)?;
    say::line(&format!("{}", out.display()));
    Ok(())
}

/// The newest archive of tools; an image was made before there is a slot to be sent.
fn tools(kept: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(kept).context("make an image first: `cargo xtask image`")?;
    let found = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("tools-") && name.ends_with(".tar")
    });
    let newest = found.max_by_key(|entry| entry.metadata().and_then(|about| about.modified()).ok());
    match newest {
        Some(entry) => Ok(entry.path()),
        None => bail!("make an image first: `cargo xtask image`"),
    }
}
