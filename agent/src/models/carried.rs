//! The models that came with the trap: the built-in one, and those in the
//! technician's folder, each checked as far as can be without running it.

use crate::config::Config;
use crate::stage::in_full;
use std::path::{Path, PathBuf};
use trapline_detect::{Detector, Manifest};
use trapline_wire::Sha256;

/// Manifests that are looked at in the technician's folder.
const MANIFESTS_MAX: usize = 50;

/// A model of the technician's folder, or what is wrong with it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The manifest's path.
    pub manifest: PathBuf,
    /// What it says, or why it cannot be used.
    pub says: Result<Manifest, String>,
}

/// The technician's models.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// In the order of their file names.
    pub found: Vec<Found>,
    /// Why the folder cannot be read.
    pub trouble: Option<String>,
}

impl Carried {
    /// Looks into `detector.models_dir` and checks each model's hash.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let Some(folder) = &config.detector.models_dir else {
            return Self::default();
        };
        let listed = std::fs::read_dir(folder).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) => {
                return Self {
                    trouble: Some(format!("{} cannot be read: {error}", folder.display())),
                    ..Self::default()
                };
            }
        };
        paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
        paths.sort();
        paths.truncate(MANIFESTS_MAX);
        let found = paths.into_iter().map(|manifest| Found {
            says: read(&manifest),
            manifest,
        });
        Self {
            found: found.collect(),
            trouble: None,
        }
    }

    /// The manifest of the model of that id.
    ///
    /// # Errors
    /// Why it is not there, in words.
    pub fn named(&self, id: &str) -> Result<PathBuf, String> {
        let mut wrong = self.trouble.clone();
        for found in &self.found {
            match &found.says {
                Ok(manifest) if manifest.id == id => return Ok(found.manifest.clone()),
                Ok(_) => {}
                Err(why) => wrong = Some(why.clone()),
            }
        }
        let also = wrong.map_or_else(String::new, |why| format!(" ({why})"));
        Err(format!(
            "no model of `detector.models_dir` has the id `{id}`{also}"
        ))
    }
}

fn read(path: &Path) -> Result<Manifest, String> {
    let missing = |path: &Path, error| format!("{} cannot be read: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| missing(path, error))?;
    let manifest = Manifest::parse(&text, path).map_err(|error| in_full(&error))?;
    let network = path.with_file_name(&manifest.file);
    let bytes = std::fs::read(&network).map_err(|error| missing(&network, error))?;
    manifest
        .verify(&bytes, &network)
        .map_err(|error| in_full(&error))?;
    Ok(manifest)
}

/// SHA-256 of the built-in model's manifest, as an offer would name it.
#[must_use]
pub fn built_in_sha256() -> Sha256 {
    Sha256::of(Detector::embedded_manifest().as_bytes())
}

/// Id and SHA-256 of the built-in model.
#[must_use]
pub fn built_in_model() -> (String, Sha256) {
    let manifest = Manifest::parse(Detector::embedded_manifest(), Path::new("(built in)"));
    let unknown = || (String::new(), Sha256::of(&[]));
    manifest.map_or_else(
        |_| unknown(),
        |manifest| match manifest.sha256.parse() {
            Ok(sha256) => (manifest.id, sha256),
            Err(_) => unknown(),
        },
    )
}
