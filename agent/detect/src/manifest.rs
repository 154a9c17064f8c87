//! What must be known about a model before it may look at a picture: its file and hash, its input, its output, its
//! thresholds. One small TOML file beside the model says it; this module reads and checks it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The one input layout there is: all red bytes of the tile, then all green, then all blue.
const LAYOUT: &str = "planar-rgb-u8";

/// A model's description, as read from its TOML file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name in ledgers and exports; a retrained model has another one.
    pub id: String,
    /// The ONNX file's name, in the manifest's own folder.
    pub file: String,
    /// SHA-256 of the ONNX file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The photographs it was taught on, for people.
    pub trained_on: String,
    /// The licence of those photographs, which the weights carry on.
    pub licence: String,
    /// The card it is for, in people's words, as in "yellow sticky card".
    #[serde(default)]
    pub card: Option<String>,
    /// Names of the classes; [`Detection::class`](crate::Detection::class) counts in this list.
    pub classes: Vec<String>,
    /// What its convolutions calculate with.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// What a tile looks like.
    pub input: Input,
    /// What the network answers.
    pub output: Output,
    /// From which score on a box counts.
    pub thresholds: Thresholds,
}

/// What a network calculates with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// Whole numbers, in the kernels that a trap is fast with: every convolution, or the model is refused.
    #[default]
    Int8,
    /// Whatever the model file says, without our kernels: for comparisons on a desk.
    Float,
}

/// One tile: 1 × channels × `tile_px` × `tile_px` bytes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Side of the square tile.
    pub tile_px: u32,
    /// Colour planes, always 3.
    pub channels: u32,
    /// How the bytes lie, always `planar-rgb-u8`.
    pub layout: String,
    /// Least width of the strip that two neighbouring tiles share; at least the length of the largest usual insect.
    pub overlap_px: u32,
}

/// One cell of heat per class and of four log distances (left, top, right, bottom) per `stride_px` pixels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Side of one cell.
    pub stride_px: u32,
}

/// Scores are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// What people see and what is counted, unless they choose otherwise.
    pub score: f32,
    /// What the detector returns and the ledger keeps.
    pub score_low: f32,
    /// Of two boxes whose intersection over union is above this, the weaker goes.
    pub nms_iou: f32,
}

/// What keeps a model from being used. Nothing here mends itself: the remedy is another file.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The manifest or the model file cannot be read.
    #[error("cannot read the model file {}", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// The manifest is no TOML, lacks a key, or has one that nobody knows.
    #[error("the model manifest {} cannot be understood: {problem}", path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Line and key, and what is wrong there.
        problem: String,
    },
    /// A key of the manifest has a value that cannot be.
    #[error("the model manifest {}: `{key}` {problem}", path.display())]
    Value {
        /// The manifest.
        path: PathBuf,
        /// The key with its table, as in `input.tile_px`.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The model file is another one than the manifest speaks of.
    #[error("the model file {} has the SHA-256 {found}, but its manifest says {expected}", path.display())]
    Hash {
        /// The model file.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The network takes or gives other tensors than the manifest says.
    #[error("the model {}: its {tensor} is {found}, but its manifest means {expected}", path.display())]
    Shape {
        /// The model file.
        path: PathBuf,
        /// `input`, `heat output` or `distance output`.
        tensor: &'static str,
        /// Type and shape by the manifest.
        expected: String,
        /// Type and shape in the model.
        found: String,
    },
    /// A layer would run outside of the integer kernels, many times slower, and the manifest does not allow it.
    #[error(
        "the model {}: {layer} {problem}, so it cannot run in whole numbers; with `arithmetic = \"float\"` its manifest allows it to be slow",
        path.display()
    )]
    Outside {
        /// The model file.
        path: PathBuf,
        /// The layer's name in the model.
        layer: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file has the right hash, and still the inference library cannot run it.
    #[error("the model {} cannot be prepared: {problem}", path.display())]
    Unusable {
        /// The model file.
        path: PathBuf,
        /// The library's words.
        problem: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest's text; `path` is only for the errors' text.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`] and [`ModelError::Value`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ModelError> {
        let manifest: Self = toml::from_str(text).map_err(|error| ModelError::Unreadable {
            path: path.to_owned(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        match manifest.first_problem() {
            None => Ok(manifest),
            Some((key, problem)) => Err(ModelError::Value {
                path: path.to_owned(),
                key,
                problem,
            }),
        }
    }

    /// Proves that `model` is the file the manifest speaks of; `path` is only for the error's text.
    ///
    /// # Errors
    /// [`ModelError::Hash`].
    pub fn verify(&self, model: &[u8], path: &Path) -> Result<(), ModelError> {
        let found: String = Sha256::digest(model)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if found == self.sha256 {
            return Ok(());
        }
        Err(ModelError::Hash {
            path: path.to_owned(),
            expected: self.sha256.clone(),
            found,
        })
    }

    fn first_problem(&self) -> Option<(&'static str, String)> {
        let checks = self.file_checks().into_iter().chain(self.number_checks());
        checks
            .into_iter()
            .find(|(is_fine, _, _)| !is_fine)
            .map(|(_, key, problem)| (key, problem))
    }

    fn file_checks(&self) -> [Check; 5] {
        let is_plain_name = Path::new(&self.file).file_name() == Some(self.file.as_ref());
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_hash = self.sha256.len() == 64 && self.sha256.bytes().all(is_digit);
        let classes = self.classes.len();
        let layout = &self.input.layout;
        [
            (!self.id.is_empty(), "id", "is empty".to_owned()),
            (
                is_plain_name,
                "file",
                "must be a file name without folders".to_owned(),
            ),
            (
                is_hash,
                "sha256",
                "must be 64 lower-case hexadecimal digits".to_owned(),
            ),
            (
                (1..=1000).contains(&classes),
                "classes",
                format!("has {classes} names, not 1 to 1000"),
            ),
            (
                layout == LAYOUT,
                "input.layout",
                format!("is `{layout}`, not `{LAYOUT}`"),
            ),
        ]
    }

    fn number_checks(&self) -> [Check; 7] {
        let Input {
            tile_px,
            channels,
            overlap_px,
            ..
        } = self.input;
        let Output { stride_px } = self.output;
        let Thresholds {
            score,
            score_low,
            nms_iou,
        } = self.thresholds;
        let is_stride = (1..=64).contains(&stride_px);
        let is_tile = (64..=2048).contains(&tile_px) && tile_px.is_multiple_of(stride_px);
        let is_low = score_low > 0.0 && score_low <= score;
        let share = 0.0..=1.0;
        [
            (
                is_stride,
                "output.stride_px",
                format!("is {stride_px}, not 1 to 64"),
            ),
            (
                is_tile,
                "input.tile_px",
                format!("is {tile_px}, not 64 to 2048 and a multiple of output.stride_px"),
            ),
            (
                channels == 3,
                "input.channels",
                format!("is {channels}, not 3"),
            ),
            (
                overlap_px <= tile_px / 2,
                "input.overlap_px",
                format!("is {overlap_px}, more than half a tile"),
            ),
            (
                share.contains(&score),
                "thresholds.score",
                format!("is {score}, not 0 to 1"),
            ),
            (
                is_low,
                "thresholds.score_low",
                format!("is {score_low}, not above 0 and at most thresholds.score"),
            ),
            (
                share.contains(&nms_iou),
                "thresholds.nms_iou",
                format!("is {nms_iou}, not 0 to 1"),
            ),
        ]
    }
}

/// Whether a value can be, its key, and what is wrong with it if not.
type Check = (bool, &'static str, String);
