//! One look at a picture, with what is remembered of the last one.

use serde::{Deserialize, Serialize};

use crate::boxes::Detection;
use crate::change::card::Region;
use crate::change::compare::CELL;
use crate::change::flat::Flat;
use crate::change::grey::Grey;
use crate::change::windows::{Room, Window};
use crate::detector::{DetectError, Detector, Progress, check_size};
use crate::jpeg::Picture;
use crate::look::gate::Scene;
use crate::look::merge::Merged;
use crate::tile::Tile;
use crate::{preprocess, suppress, tile};

mod doubt;
mod focus;
mod gate;
pub mod memory;
mod merge;

pub use memory::Memory;

/// How a picture is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookSettings {
    /// Run everything, whatever is remembered.
    pub whole: bool,
    /// Full resolution, or half of it in a hurry.
    pub scale: Scale,
    /// `false`: every look is a whole one.
    pub gated: bool,
    /// After this many looks in a row that were not whole, one is.
    pub whole_every: u32,
}

impl Default for LookSettings {
    fn default() -> Self {
        Self {
            whole: false,
            scale: Scale::Full,
            gated: true,
            whole_every: 24,
        }
    }
}

/// The resolution at which the network looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As the picture is.
    #[default]
    Full,
    /// Two by two pixels become one: a quarter of the work, and the small insects are missed.
    Half,
}

impl Scale {
    /// Pixels of the picture along one side of a pixel that the network sees.
    fn factor(self) -> f32 {
        match self {
            Self::Full => 1.0,
            Self::Half => 2.0,
        }
    }
}

/// Above this share of the whole work a look may as well be a whole one.
const SHARE_MAX: f32 = 0.5;

/// Why a look ran the network on all of the card, or on all of the picture where the card is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeBecause {
    /// Nothing is remembered.
    First,
    /// The caller asked for it.
    Asked,
    /// It was time.
    Due,
    /// The picture has another size, or is looked at in another scale.
    Size,
    /// Another model.
    Model,
    /// Much darker or brighter than the last picture.
    Light,
    /// Much sharper or more blurred than the last picture.
    Focus,
    /// The card or the camera moved too far.
    Moved,
    /// Another card.
    Card,
    /// Too much changed for leaving anything out.
    Many,
    /// Gating is off.
    Ungated,
}

/// Whether this is the card of the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardSeen {
    /// Nothing is remembered to compare it with.
    First,
    /// As far as can be seen.
    Same,
    /// Another one.
    New,
}

/// What the picture is worth, measured on a small grey copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Strength of the finest detail against its mean brightness; comparable between pictures of one camera only.
    pub sharpness: f32,
    /// Mean brightness, from 0 (black) to 255 (white).
    pub mean_luma: f32,
    /// Share of the picture that is quite black or quite white, from 0 to 1.
    pub clipped_share: f32,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Boxes inside the picture, best first, in its own pixels whatever the scale.
    pub detections: Vec<Detection>,
    /// As long as `detections`: whether the box was taken over from the last picture instead of looked for.
    pub carried: Vec<bool>,
    /// Tiles of the whole picture.
    pub tiles: u32,
    /// Tiles that the network ran on; windows count together as many tiles as they cost, rounded up.
    pub tiles_run: u32,
    /// What the network was given, in pixels, against what it is given for the whole picture.
    pub work_share: f32,
    /// Why all of them; `None` for a look that left tiles out.
    pub whole: Option<WholeBecause>,
    /// Where the last picture's middle lies now, right and down; `None` if there is none or it cannot be told.
    pub shift_px: Option<(f32, f32)>,
    /// Whether this is the card of the last look.
    pub card: CardSeen,
    /// What the picture is worth.
    pub quality: Quality,
}

impl Detector {
    /// Finds the insects of a picture, and runs the network only where it differs from the remembered one; what is
    /// returned with the boxes is to be given to the next look at the same trap.
    ///
    /// # Errors
    /// [`DetectError`]; the memory is then lost, and the next look is a whole one.
    pub fn look(
        &self,
        picture: &Picture,
        memory: Option<Memory>,
        settings: &LookSettings,
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(Look, Memory), DetectError> {
        check_size(picture)?;
        let (grey, quality) = Grey::of(picture);
        let now = Scene {
            width_px: picture.width_px,
            height_px: picture.height_px,
            scale: settings.scale,
            model: memory::digest(&self.model().sha256),
            quality,
            flat: Flat::of(&grey),
        };
        let verdict = gate::judge(
            memory.as_ref(),
            &now,
            settings,
            self.model().thresholds.score,
        );
        let halved = (settings.scale == Scale::Half).then(|| preprocess::halved(picture));
        let shown = halved.as_ref().unwrap_or(picture);
        let by = 1.0 / settings.scale.factor();
        let known: Vec<Detection> = verdict
            .known
            .iter()
            .map(|known| known.resized(by))
            .collect();

        let region = verdict.region.resized(by);
        let tiles = self.tiles_in(shown, &region);
        let windows = match verdict.whole {
            Some(because) => Err(because),
            None => self
                .windows(shown, &verdict, &known, by)
                .ok_or(WholeBecause::Many),
        };
        let mut run = match &windows {
            Ok(windows) => self.run_windows(shown, windows, &known, keep_going)?,
            Err(_) => self.run_whole(shown, &tiles, keep_going)?,
        };
        run.retain(|merged| region.has_middle_of(&merged.detection));
        let back = settings.scale.factor();
        let all_tiles = self.tiles(shown);
        let look = Look {
            detections: run
                .iter()
                .map(|merged| merged.detection.resized(back))
                .collect(),
            carried: run.iter().map(|merged| merged.is_carried).collect(),
            tiles: count(all_tiles.len()),
            tiles_run: count(match &windows {
                Ok(windows) => self.in_tiles(windows),
                Err(_) => tiles.len(),
            })
            .min(count(all_tiles.len())),
            work_share: match &windows {
                Ok(windows) => pixels(windows.iter().map(|window| window.size_px)),
                Err(_) => pixels(tiles.iter().map(|tile| tile.size_px)),
            } / pixels(all_tiles.iter().map(|tile| tile.size_px)).max(1.0),
            whole: windows.err(),
            shift_px: verdict.shift_px,
            card: verdict.card,
            quality,
        };
        let score = self.model().thresholds.score;
        let region = region_after(picture, &look, verdict.region, score);
        let memory = memory::after(memory, now, grey, &look, (region, verdict.is_poor));
        Ok((look, memory))
    }

    /// How many tiles cost as much as these windows, rounded up.
    fn in_tiles(&self, windows: &[Window]) -> usize {
        let square_px2 = |side_px: u32| u64::from(side_px).pow(2);
        let all_px2: u64 = windows
            .iter()
            .map(|window| square_px2(window.size_px))
            .sum();
        let tiles = all_px2.div_ceil(square_px2(self.model().input.tile_px).max(1));
        usize::try_from(tiles).unwrap_or(usize::MAX)
    }

    /// The tiles of a part of the picture.
    fn tiles_in(&self, shown: &Picture, region: &Region) -> Vec<Tile> {
        let input = &self.model().input;
        let stride_px = self.model().output.stride_px;
        let (left_px, top_px, width_px, height_px) = region.pixels(shown, input.tile_px, stride_px);
        let tiles = tile::plan(
            width_px,
            height_px,
            input.tile_px,
            input.overlap_px,
            stride_px,
        );
        let tiles = tiles.into_iter();
        tiles.map(|tile| tile.moved(left_px, top_px)).collect()
    }

    /// The windows of a look that leaves things out; `None` if it would leave out too little.
    fn windows(
        &self,
        shown: &Picture,
        verdict: &gate::Verdict,
        known: &[Detection],
        by: f32,
    ) -> Option<Vec<Window>> {
        let changes = verdict.changes.as_ref()?;
        let sizes_px = self.square_sizes_px();
        let tiles = self.tiles_in(shown, &verdict.region.resized(by));
        let room = Room {
            width_px: shown.width_px,
            height_px: shown.height_px,
            cell_px: CELL as f32 * verdict.grey_factor * by,
            sizes_px: &sizes_px,
            margin_px: self.model().input.overlap_px / 2,
            stride_px: self.model().output.stride_px,
        };
        let whole_px2 = pixels(tiles.iter().map(|tile| tile.size_px));
        let costs = (pixels(sizes_px.first().copied()), whole_px2);
        let score = self.model().thresholds.score;
        let doubtful = doubt::in_turn(known, score, verdict.looks, costs);
        let windows = room.plan(changes, known, &doubtful)?;
        let windows_px2 = pixels(windows.iter().map(|window| window.size_px));
        (windows_px2 <= SHARE_MAX * whole_px2).then_some(windows)
    }

    fn run_whole(
        &self,
        shown: &Picture,
        tiles: &[Tile],
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Vec<Merged>, DetectError> {
        let mut judge = |index: usize, found| suppress::at_borders(found, tiles.get(index)?);
        let candidates = self.run(shown, tiles, &mut judge, keep_going)?;
        Ok(merge::merge(
            &[],
            candidates,
            &[],
            self.model().thresholds.nms_iou,
        ))
    }

    fn run_windows(
        &self,
        shown: &Picture,
        windows: &[Window],
        known: &[Detection],
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Vec<Merged>, DetectError> {
        let tiles: Vec<Tile> = windows.iter().map(Window::tile).collect();
        let mut judge = |index: usize, found| merge::judge(found, windows.get(index)?, known);
        let candidates = self.run(shown, &tiles, &mut judge, keep_going)?;
        let nms_iou = self.model().thresholds.nms_iou;
        Ok(merge::merge(known, candidates, windows, nms_iou))
    }
}

fn count(tiles: usize) -> u32 {
    u32::try_from(tiles).unwrap_or(u32::MAX)
}

/// What squares of these sides give the network to do.
fn pixels(sides_px: impl IntoIterator<Item = u32>) -> f32 {
    sides_px
        .into_iter()
        .map(|side_px| (side_px as f32).powi(2))
        .sum()
}

/// Where to look from now on: what was found once is kept, but a whole look may find that the card is larger; a look at
/// all of the picture finds it first.
fn region_after(picture: &Picture, look: &Look, region: Region, score: f32) -> Region {
    let (width_px, height_px) = (picture.width_px, picture.height_px);
    if look.whole.is_none() {
        return region;
    }
    let found = Region::of(picture);
    if !region.is_whole(width_px, height_px) {
        let is_sure = !found.is_whole(width_px, height_px);
        return if is_sure { region.with(found) } else { region };
    }
    let shown = look
        .detections
        .iter()
        .filter(|detection| detection.score >= score);
    let shown: Vec<Detection> = shown.copied().collect();
    found.checked(&shown, width_px, height_px)
}
