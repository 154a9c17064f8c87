//! The detector: a model, and the way of one picture through it.

use std::path::{Path, PathBuf};

use crate::boxes::Detection;
use crate::jpeg::Picture;
use crate::manifest::{Manifest, ModelError};
use crate::net::{Net, RunError};
use crate::suppress::Candidate;
use crate::tile::Tile;
use crate::{preprocess, suppress, tile};

/// More candidates than this on one picture are a broken model or a broken picture, not insects.
const CANDIDATES_MAX: usize = 50_000;

/// The model every binary carries, so that a trap finds insects with no further file.
const EMBEDDED_NAME: &str = "(built in)";
const EMBEDDED_MANIFEST: &str = include_str!("../models/insect-2.toml");
const EMBEDDED_MODEL: &[u8] = include_bytes!("../models/insect-2.onnx");

/// A loaded model. Loading costs a moment, looking at a picture seconds; one detector serves all pictures, from any
/// thread.
pub struct Detector {
    manifest: Manifest,
    net: Net,
}

/// How far a picture is, told after each tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tiles done.
    pub tiles_done: usize,
    /// Tiles in all, at least 1.
    pub tiles: usize,
}

/// Why there is no list of boxes.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The picture's byte count does not fit its size: a mistake of the program.
    #[error("a picture of {width_px} x {height_px} pixels cannot have {size_bytes} bytes of RGB")]
    Picture {
        /// As the picture says.
        width_px: u32,
        /// As the picture says.
        height_px: u32,
        /// What it holds.
        size_bytes: usize,
    },
    /// The caller asked to stop.
    #[error("stopped after {tiles_done} of {tiles} tiles")]
    Stopped {
        /// Tiles done by then.
        tiles_done: usize,
        /// Tiles in all.
        tiles: usize,
    },
    /// The inference library failed.
    #[error("the model {model} failed on a tile")]
    Net {
        /// The model's id.
        model: String,
        /// The library's words.
        source: RunError,
    },
    /// The model sees insects everywhere.
    #[error("the model {model} gave more than {candidates_max} candidates on one picture")]
    TooMany {
        /// The model's id.
        model: String,
        /// The limit.
        candidates_max: usize,
    },
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Detector({})", self.manifest.id)
    }
}

impl Detector {
    /// Loads the model beside a manifest.
    ///
    /// # Errors
    /// Every variant of [`ModelError`]; none of them mends itself.
    pub fn load(manifest_path: &Path) -> Result<Self, ModelError> {
        let missing = |path: &Path| {
            let path = path.to_owned();
            |source| ModelError::Missing { path, source }
        };
        let text = std::fs::read_to_string(manifest_path).map_err(missing(manifest_path))?;
        let manifest = Manifest::parse(&text, manifest_path)?;
        let model_path = manifest_path.with_file_name(&manifest.file);
        let model = std::fs::read(&model_path).map_err(missing(&model_path))?;
        Self::prepare(manifest, &model, &model_path)
    }

    /// Prepares the model that this program carries.
    ///
    /// # Errors
    /// As [`Detector::load`]; a tested build has none.
    pub fn embedded() -> Result<Self, ModelError> {
        let manifest = Manifest::parse(EMBEDDED_MANIFEST, Path::new(EMBEDDED_NAME))?;
        let path = PathBuf::from(format!("{} {EMBEDDED_NAME}", manifest.file));
        Self::prepare(manifest, EMBEDDED_MODEL, &path)
    }

    /// The manifest of the model that this program carries, as text.
    #[must_use]
    pub fn embedded_manifest() -> &'static str {
        EMBEDDED_MANIFEST
    }

    fn prepare(manifest: Manifest, model: &[u8], path: &Path) -> Result<Self, ModelError> {
        manifest.verify(model, path)?;
        let net = Net::load(model, &manifest, path)?;
        Ok(Self { manifest, net })
    }

    /// What the detector knows about its model: id, hash, classes, thresholds.
    #[must_use]
    pub fn model(&self) -> &Manifest {
        &self.manifest
    }

    /// What the network calculates with on this machine, as in `int8, avx512-vnni`.
    #[must_use]
    pub fn arithmetic(&self) -> &str {
        self.net.arithmetic()
    }

    /// Finds the insects of a picture: boxes inside the picture, best first, down to the manifest's low threshold.
    ///
    /// # Errors
    /// [`DetectError`], without `Stopped`.
    pub fn detect(&self, picture: &Picture) -> Result<Vec<Detection>, DetectError> {
        self.detect_with(picture, &mut |_| true)
    }

    /// As [`Detector::detect`], but asks after each tile whether to go on.
    ///
    /// # Errors
    /// [`DetectError`].
    pub fn detect_with(
        &self,
        picture: &Picture,
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Vec<Detection>, DetectError> {
        check_size(picture)?;
        let tiles = self.tiles(picture);
        let mut judge = |index: usize, found| {
            let tile = tiles.get(index)?;
            suppress::at_borders(found, tile)
        };
        let candidates = self.run(picture, &tiles, &mut judge, keep_going)?;
        Ok(suppress::strongest(
            candidates,
            self.manifest.thresholds.nms_iou,
        ))
    }

    /// The tiles of the whole picture.
    pub(crate) fn tiles(&self, picture: &Picture) -> Vec<Tile> {
        let input = &self.manifest.input;
        tile::plan(
            picture.width_px,
            picture.height_px,
            input.tile_px,
            input.overlap_px,
            self.manifest.output.stride_px,
        )
    }

    /// Sides of the squares that the network takes, small ones first.
    pub(crate) fn square_sizes_px(&self) -> Vec<u32> {
        self.net.sizes_px()
    }

    /// Runs the network on these tiles of a picture of the right size; `judge` is told the tile's number and a box
    /// inside the picture.
    pub(crate) fn run(
        &self,
        picture: &Picture,
        tiles: &[Tile],
        judge: &mut dyn FnMut(usize, Detection) -> Option<Candidate>,
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Vec<Candidate>, DetectError> {
        let mut planes = Vec::new();
        let mut boxes = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (index, tile) in tiles.iter().enumerate() {
            preprocess::planar(picture, tile, &mut planes);
            self.net
                .run(&planes, |cells| {
                    cells.boxes(tile, self.manifest.thresholds.score_low, &mut boxes)
                })
                .map_err(|source| DetectError::Net {
                    model: self.manifest.id.clone(),
                    source,
                })?;
            let inside = boxes.drain(..).filter_map(|found| clip(found, picture));
            // The cells of one insect agree before any border is asked, so that not one of them alone crosses it.
            let whole = inside.map(Candidate::whole).collect();
            let agreed = suppress::strongest(whole, self.manifest.thresholds.nms_iou);
            let judged = agreed.into_iter().filter_map(|found| judge(index, found));
            candidates.extend(judged);
            if candidates.len() > CANDIDATES_MAX {
                let model = self.manifest.id.clone();
                return Err(DetectError::TooMany {
                    model,
                    candidates_max: CANDIDATES_MAX,
                });
            }
            let progress = Progress {
                tiles_done: index + 1,
                tiles: tiles.len(),
            };
            if !keep_going(progress) && progress.tiles_done < progress.tiles {
                return Err(DetectError::Stopped {
                    tiles_done: progress.tiles_done,
                    tiles: progress.tiles,
                });
            }
        }
        Ok(candidates)
    }
}

pub(crate) fn check_size(picture: &Picture) -> Result<(), DetectError> {
    let Picture {
        width_px,
        height_px,
        ref rgb,
    } = *picture;
    let size_bytes = u128::from(width_px) * u128::from(height_px) * 3;
    if size_bytes > 0 && size_bytes == rgb.len() as u128 {
        return Ok(());
    }
    Err(DetectError::Picture {
        width_px,
        height_px,
        size_bytes: rgb.len(),
    })
}

/// The part of a box that lies in the picture; none if its middle does not, for then it was found in the padding.
fn clip(found: Detection, picture: &Picture) -> Option<Detection> {
    clip_to(found, picture.width_px, picture.height_px)
}

/// As [`clip`], for a picture of this size.
pub(crate) fn clip_to(found: Detection, width_px: u32, height_px: u32) -> Option<Detection> {
    let (end_x_px, end_y_px) = (width_px as f32, height_px as f32);
    let middle_x_px = found.x_px + found.width_px / 2.0;
    let middle_y_px = found.y_px + found.height_px / 2.0;
    // A NaN is in no range and goes too.
    if !(0.0..end_x_px).contains(&middle_x_px) || !(0.0..end_y_px).contains(&middle_y_px) {
        return None;
    }
    let (x_px, y_px) = (found.x_px.max(0.0), found.y_px.max(0.0));
    Some(Detection {
        x_px,
        y_px,
        width_px: (found.x_px + found.width_px).min(end_x_px) - x_px,
        height_px: (found.y_px + found.height_px).min(end_y_px) - y_px,
        ..found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_end_at_the_pictures_edge_and_never_begin_beyond_it() {
        let picture = Picture {
            width_px: 100,
            height_px: 50,
            rgb: vec![0; 15_000],
        };
        let clipped = |x_px, y_px, width_px, height_px| {
            let found = Detection {
                x_px,
                y_px,
                width_px,
                height_px,
                score: 0.5,
                class: 0,
            };
            clip(found, &picture)
                .map(|inside| [inside.x_px, inside.y_px, inside.width_px, inside.height_px])
        };
        assert_eq!(
            clipped(10.0, 10.0, 20.0, 20.0),
            Some([10.0, 10.0, 20.0, 20.0])
        );
        assert_eq!(
            clipped(-5.0, -1.0, 20.0, 20.0),
            Some([0.0, 0.0, 15.0, 19.0])
        );
        assert_eq!(
            clipped(90.0, 35.0, 18.0, 20.0),
            Some([90.0, 35.0, 10.0, 15.0])
        );
        assert_eq!(
            clipped(90.0, 35.0, 22.0, 20.0),
            None,
            "its middle is at 101"
        );
        assert_eq!(
            clipped(10.0, -30.0, 20.0, 40.0),
            None,
            "its middle is above the picture"
        );
        assert_eq!(clipped(f32::NAN, 10.0, 20.0, 20.0), None);
        assert_eq!(clipped(10.0, 10.0, f32::INFINITY, 20.0), None);
    }
}
