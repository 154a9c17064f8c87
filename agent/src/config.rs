//! The settings of a trap: what they are, which layers they come from, and
//! everything that is wrong with them in one go. The only module that reads
//! settings files and the environment.

pub mod camera;
pub mod card;
pub mod check;
pub mod clock;
pub mod front;
pub mod lamps;
pub mod layers;
pub mod page;
pub mod place;
pub mod power;
pub mod raw;
mod schedule;
pub mod sensors;
mod server;
pub mod update;
pub mod worked;
mod written;

use crate::degrade::Thresholds;
use crate::schedule::Schedule;
use camera::CameraConfig;
use clock::ClockConfig;
use front::FrontConfig;
use lamps::{AttractConfig, FlashConfig};
use log::LevelFilter;
use page::PageConfig;
use power::PowerConfig;
use raw::{Entries, Problem, Value};
use sensors::SensorsConfig;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use trapline_wire::{EnrolToken, TrapKey};
use update::UpdateConfig;

pub use camera::CameraKind;
pub use layers::{Sources, load};
pub use trapline_hal::pi::camera_folder::Playback;
pub use written::parse_duration;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[trap]`
    pub trap: TrapConfig,
    /// `[ledger]`
    pub ledger: LedgerConfig,
    /// `[schedule]`
    pub schedule: Schedule,
    /// `[camera]`
    pub camera: CameraConfig,
    /// `[lamp]`, if there is one.
    pub flash: Option<FlashConfig>,
    /// `[attract]`, if there is one.
    pub attract: Option<AttractConfig>,
    /// `[sensors]`
    pub sensors: SensorsConfig,
    /// `[power]`
    pub power: PowerConfig,
    /// `[clock]`
    pub clock: ClockConfig,
    /// `[button]`, `[led]`, `[display]`, `[trigger]`
    pub front: FrontConfig,
    /// `[detector]`
    pub detector: DetectorConfig,
    /// `[server]`, if there is one.
    pub server: Option<ServerConfig>,
    /// `[sync]`
    pub sync: SyncConfig,
    /// `[page]`
    pub page: PageConfig,
    /// `[update]`
    pub update: UpdateConfig,
    /// `[log] level`
    pub log_level: LevelFilter,
}

impl Config {
    /// A configuration from one text over the defaults; `name` is how messages call the text.
    ///
    /// # Errors
    /// Every problem of the text at once.
    pub fn from_text(name: &str, text: &str) -> Result<Self, Problems> {
        layers::from_text(name, text)
    }
}

/// `[trap]`
#[derive(Debug, Clone)]
pub struct TrapConfig {
    /// What people call the trap.
    pub name: String,
    /// Where it stands, if that is known.
    pub place: Option<place::Place>,
}

/// `[ledger]`
#[derive(Debug, Clone)]
pub struct LedgerConfig {
    /// The ledger's folder.
    pub dir: PathBuf,
    /// Bytes of pictures from which safe ones are removed.
    pub quota_bytes: u64,
    /// Bytes of the file system that stay free.
    pub free_bytes_min: u64,
}

/// `[detector]`
#[derive(Debug, Clone)]
pub struct DetectorConfig {
    /// Whether pictures are inspected on the trap.
    pub enabled: bool,
    /// Another model than the one built in.
    pub manifest: Option<PathBuf>,
    /// The technician's folder of models.
    pub models_dir: Option<PathBuf>,
    /// Id of the model of that folder that is used.
    pub model: Option<String>,
    /// What an offered model may take of the time of the one before it, percent.
    pub slower_max_percent: u64,
    /// Pictures that an offered model looks at before it is the trap's.
    pub probation_pictures: u32,
    /// Memory that the detector's process may take for its data.
    pub memory_limit_bytes: u64,
    /// When less care is taken.
    pub degrade: Thresholds,
    /// How long one picture may take.
    pub time_limit: Duration,
    /// Tries before a picture is given up.
    pub attempts_max: u32,
}

/// `[server]`
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Its address, without a slash at the end.
    pub url: String,
    /// How the trap gets in.
    pub access: Access,
}

/// How the server knows the trap. Both print without their secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// By a key that the server made.
    Key(TrapKey),
    /// By the key pair that the trap makes itself; a token lets it in without a person.
    Identity(Option<EnrolToken>),
}

/// `[sync]`
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// The longest silence of a trap that is well.
    pub heartbeat_every: Duration,
    /// Longest wait after the first failure.
    pub retry_min: Duration,
    /// Longest wait after any failure.
    pub retry_max: Duration,
    /// Longest time of a request.
    pub request_timeout: Duration,
    /// Most bytes of a picture in one request.
    pub piece_bytes_max: u64,
}

/// A configuration and how it came about.
#[derive(Debug)]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// Each key with its value and origin.
    pub entries: Entries,
    /// What is wrong with the overlay on the boot partition, which is then not used.
    pub faults: Vec<String>,
    /// What is wrong with the card's `trapline.toml`, whose reader has left other settings in force.
    pub card_fault: Option<String>,
    /// The text of the overlay, if there is one and it passed.
    pub overlay: Option<String>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// A value as it may be shown: a secret loses its secret part.
#[must_use]
pub fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Text(text) if key == "server.key" && !text.is_empty() => text
            .parse::<TrapKey>()
            .map_or_else(|_| "\"(hidden)\"".to_owned(), |key| format!("\"{key}\"")),
        Value::Text(text) if key == "server.token" && !text.is_empty() => {
            text.parse::<EnrolToken>().map_or_else(
                |_| "\"(hidden)\"".to_owned(),
                |token| format!("\"{token}\""),
            )
        }
        Value::Text(_) | Value::Whole(_) | Value::Switch(_) | Value::List(_) => value.to_string(),
    }
}
