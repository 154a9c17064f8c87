//! A picture of the card, by the content of its file, and the readings taken with it.

use super::Stamp;
use super::shot::{PictureFlaw, PictureQuality, ShotCause, ShotFacts};
use crate::digest::Sha256;
use crate::ids::{CaptureId, ReadingId};
use serde::{Deserialize, Serialize};

/// One picture of the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// Its name in the trap's ledger.
    pub id: CaptureId,
    /// When the shutter closed.
    pub stamp: Stamp,
    /// Where the picture comes from.
    pub source: CaptureSource,
    /// The picture file.
    pub picture: PictureRef,
    /// The readings taken with it.
    pub reading: Option<ReadingId>,
    /// Why it was taken; older traps don't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<ShotCause>,
    /// How it was taken, if the camera said anything; older traps don't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shot: Option<ShotFacts>,
    /// What the picture is worth; absent from older traps, and where it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<PictureQuality>,
}

impl CaptureRecord {
    /// What is wrong with the picture; empty for a good one and for one that was not measured.
    #[must_use]
    pub fn flaws(&self) -> &[PictureFlaw] {
        self.quality.as_ref().map_or(&[], |quality| &quality.flaws)
    }

    /// The picture's worth as the cell of a table: `good`, the words of its flaws
    /// with spaces between, or nothing when it was not measured.
    #[must_use]
    pub fn flaws_cell(&self) -> String {
        match &self.quality {
            None => String::new(),
            Some(quality) if quality.flaws.is_empty() => "good".to_owned(),
            Some(quality) => {
                let words: Vec<_> = quality.flaws.iter().map(|flaw| flaw.word()).collect();
                words.join(" ")
            }
        }
    }
}

/// Where a picture comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CaptureSource {
    /// A camera of the trap.
    Camera {
        /// Its model or driver name.
        model: String,
    },
    /// A file that the folder camera replayed; the time is that of the replay.
    Replayed {
        /// The file's name without its folder.
        file_name: String,
    },
    /// A simulated trap drew it; only `trapline-sim` says this.
    Simulated,
}

/// A picture by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRef {
    /// SHA-256 of the file, computed by the trap before it was admitted.
    pub sha256: Sha256,
    /// Size of the file.
    pub size_bytes: u64,
    /// Width as a viewer shows it, or `null` when the header cannot be read.
    pub width_px: Option<u32>,
    /// Height as a viewer shows it, or `null` when the header cannot be read.
    pub height_px: Option<u32>,
}

/// Sensor readings of one moment; a sensor that failed or is absent is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRecord {
    /// Its name in the trap's ledger.
    pub id: ReadingId,
    /// When it was read.
    pub stamp: Stamp,
    /// Air temperature, degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Relative humidity, percent.
    pub humidity_percent: Option<f64>,
    /// Illuminance, lux.
    pub light_lux: Option<f64>,
    /// Battery voltage, volts.
    pub battery_v: Option<f64>,
}
