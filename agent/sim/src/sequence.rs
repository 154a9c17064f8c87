//! Sequences: one camera before one card over a day and a half, with the truth of every insect.
//!
//! A detector's change gating and its counting of arrivals can only be judged on frames that belong together. So a
//! [`story::Script`] says what happens when (drift, clouds and shadows, a bump, hours without a picture, a lamp that
//! fails, a new card, rain, insects that walk), [`lives`] says which insects come, walk and go, and a painter of
//! [`Cards`] shows them: [`rendered`] from drawn insects, [`photographs`] from crops of real insects on real cards.
//!
//! ```text
//! story::Script ─► lives ─► Cards::draw ─► scene: warp, shade, expose ─► frame-00000.jpg …, sequence.json
//!                                                                              │
//!                                       measure: the real detector and tracker ┘ ─► Report
//! ```
//!
//! The same plan gives the same bytes.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

mod lives;
pub mod measure;
mod photographs;
mod rendered;
mod scene;
pub mod story;

use crate::plate::{Insect, Size};
use crate::world::spans::Span;
use crate::world::{DAY_MS, Trouble, World};
pub(crate) use scene::Painting;
pub use story::Story;

/// What to make.
#[derive(Debug, Clone)]
pub struct SequencePlan {
    /// How many frames.
    pub frames: u32,
    /// From which seed.
    pub seed: u64,
    /// How large the frames are; photographs bring their own size.
    pub size: Size,
    /// Minutes between two frames.
    pub every_minutes: u32,
    /// What happens.
    pub stories: Vec<Story>,
    /// Photographs with drawn boxes (COCO); `None` for drawn insects.
    pub from: Option<PathBuf>,
}

/// The truth of a sequence, as it stands in `sequence.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// `rendered` or `photographs`.
    pub kind: String,
    /// Width of every frame.
    pub width_px: u32,
    /// Height of every frame.
    pub height_px: u32,
    /// Planned minutes between two frames.
    pub every_minutes: u32,
    /// In the order of time.
    pub frames: Vec<SequenceFrame>,
    /// Every insect that was ever on a card, by id.
    pub insects: Vec<SequenceInsect>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceFrame {
    /// Beside `sequence.json`.
    pub file: String,
    /// Minutes since the first frame.
    pub minute: u32,
    /// Counts up with every new card.
    pub card: u32,
    /// The lamp failed: nothing can be seen.
    pub is_poor: bool,
    /// What happens in this frame.
    pub stories: Vec<Story>,
    /// Every insect that is on the card now.
    pub boxes: Vec<SequenceBox>,
}

/// Where an insect is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequenceBox {
    /// Its id.
    pub insect: u32,
    /// Left edge.
    pub x_px: f32,
    /// Top edge.
    pub y_px: f32,
    /// Width.
    pub width_px: f32,
    /// Height.
    pub height_px: f32,
}

/// One insect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceInsect {
    /// Counts up from 0.
    pub id: u32,
    /// The card it sticks to.
    pub card: u32,
    /// The first frame that shows it.
    pub arrived: u32,
    /// The first frame without it, if it was washed off or its card was changed.
    pub left: Option<u32>,
    /// It was on the card at the card's first frame.
    pub is_present: bool,
}

/// Something that shows cards with insects.
pub(crate) trait Cards {
    /// For `sequence.json`.
    fn kind(&self) -> &'static str;

    /// Where the insect would be, in pixels before any bump: middle and length; `None` where it cannot stick.
    fn footprint(&self, card: u32, insect: &Insect) -> Option<Footprint>;

    /// Insects that belong to the card itself, as boxes.
    fn residents(&self, card: u32) -> Vec<[f32; 4]>;

    /// The card with these insects, and their boxes in the same order.
    fn draw(&self, card: u32, insects: &[Insect]) -> Painting;
}

/// Where an insect is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Footprint {
    pub(crate) x_px: f32,
    pub(crate) y_px: f32,
    pub(crate) length_px: f32,
    /// The same in lengths of the card.
    pub(crate) length: f32,
}

/// The first of June 2026, five in the morning UTC: sunrise on the simulated site.
const START_MS: i64 = 1_780_272_000_000 + 4 * 3_600_000;

/// Writes frames and `sequence.json` into a folder, which is made if absent.
///
/// # Errors
/// When a photograph cannot be read or a file not be written.
pub fn write(folder: &Path, plan: &SequencePlan) -> anyhow::Result<Sequence> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    match &plan.from {
        None => write_with(folder, plan, &rendered::Rendered::new(plan.seed, plan.size)),
        Some(coco) => write_with(
            folder,
            plan,
            &photographs::Photographs::read(coco, plan.seed)?,
        ),
    }
}

fn write_with(folder: &Path, plan: &SequencePlan, cards: &impl Cards) -> anyhow::Result<Sequence> {
    let season = Span {
        from_ms: START_MS,
        until_ms: START_MS + 30 * DAY_MS,
    };
    let world = World::new(plan.seed, 1, season, &Trouble::default());
    let script = story::Script::new(plan);
    let lives = lives::draw(plan, &script, &world, START_MS, cards);
    let residents: Vec<Vec<u32>> = lives::residents(&lives);
    let mut frames = Vec::new();
    let mut size = (0, 0);
    for (index, moment) in (0_u32..).zip(&script.moments) {
        let there: Vec<&lives::Life> = lives
            .iter()
            .filter(|life| life.is_there(index, moment.card))
            .collect();
        let painted: Vec<&lives::Life> = there
            .iter()
            .copied()
            .filter(|life| !life.is_resident)
            .collect();
        let insects: Vec<Insect> = painted.iter().map(|life| life.at(index)).collect();
        let mut painting = cards.draw(moment.card, &insects);
        let at_home = residents
            .get(usize::try_from(moment.card)?)
            .cloned()
            .unwrap_or_default();
        let ids = painted.iter().map(|life| life.id).chain(at_home);
        painting.boxes.extend(cards.residents(moment.card));
        let weather = world.weather(START_MS + i64::from(moment.minute) * 60_000);
        let shot = scene::shoot(painting, moment, &weather, plan.seed)?;
        size = (shot.width_px, shot.height_px);
        let file = format!("frame-{index:05}.jpg");
        put(&folder.join(&file), &shot.jpeg)?;
        let boxes = ids
            .zip(&shot.boxes)
            .map(|(insect, &[x_px, y_px, width_px, height_px])| SequenceBox {
                insect,
                x_px,
                y_px,
                width_px,
                height_px,
            });
        frames.push(SequenceFrame {
            file,
            minute: moment.minute,
            card: moment.card,
            is_poor: moment.is_dark,
            stories: moment.stories.clone(),
            boxes: boxes.collect(),
        });
    }
    let sequence = Sequence {
        kind: cards.kind().to_owned(),
        width_px: size.0,
        height_px: size.1,
        every_minutes: plan.every_minutes,
        frames,
        insects: lives.iter().map(lives::Life::truth).collect(),
    };
    put(
        &folder.join("sequence.json"),
        &serde_json::to_vec(&sequence)?,
    )?;
    Ok(sequence)
}

/// Reads the truth of a folder.
///
/// # Errors
/// When `sequence.json` is absent or something else.
pub fn read(folder: &Path) -> anyhow::Result<Sequence> {
    let file = folder.join("sequence.json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no sequence", file.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "rendered anew from the seed at any time: nothing to lose in a power cut"
)]
fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
