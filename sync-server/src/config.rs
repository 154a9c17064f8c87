//! Settings of the program: flags, and a small TOML file for what seldom changes.

use crate::state::Settings;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The keys of the file; a flag of the same name wins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Folder of the database and the pictures.
    pub(crate) data: Option<PathBuf>,
    /// Address and port to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// Browsers come over https (a proxy in front speaks it): the cookie is never sent without.
    #[serde(default)]
    https: bool,
    /// A proxy in front names the asker in `X-Forwarded-For`.
    #[serde(default)]
    behind_proxy: bool,
    /// Below so many free mebibytes no picture is taken.
    free_mib_min: Option<u64>,
}

/// The settings cannot be used: exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadConfig(pub(crate) String);

impl File {
    /// Reads the file; no file is no setting.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, BadConfig> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| BadConfig(format!("cannot read {}: {error}", path.display())))?;
        toml::from_str(&text).map_err(|error| BadConfig(format!("{}: {error}", path.display())))
    }

    /// What the server is started with.
    pub(crate) fn settings(&self, data: PathBuf) -> Settings {
        let mut settings = Settings::new(data);
        settings.https = self.https;
        settings.behind_proxy = self.behind_proxy;
        if let Some(mib) = self.free_mib_min {
            settings.free_bytes_min = mib.saturating_mul(1024 * 1024);
        }
        settings
    }
}
