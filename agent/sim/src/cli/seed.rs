//! `trapline-sim seed`: a card full of work for the link, whose bytes no link can make smaller.
//!
//! The pictures are random bytes: nobody looks at them, and no compression helps. The records are those
//! of a trap that found much: each is one capture with its shot and the boxes in its picture.

use super::say;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use trapline_hal::Clock as _;
use trapline_hal::pi::clock::SystemClock;
use trapline_sim::chance::Chance;
use trapline_store::{Found, Ledger, NewCapture, NewInspection, OsDisk, Returned, Worth};
use trapline_wire::v1::{
    CaptureSource, ClockQuality, DetectionRecord, ModelRef, ShotCause, ShotFacts, Stamp,
};
use trapline_wire::{LedgerId, Sha256};

/// Bytes of JSON of one box with all its figures, about.
const BOX_BYTES: usize = 110;
/// Bytes of JSON of a shot, a capture and an empty inspection together, about.
const BARE_BYTES: usize = 1_040;
/// A picture that is there only because a record speaks of one.
const TINY_BYTES: usize = 64;
const MINUTE_MS: i64 = 60_000;

#[derive(Debug, clap::Args)]
pub(super) struct SeedArgs {
    /// The ledger's folder; it must not be there yet.
    dir: PathBuf,
    /// Captures with a picture of `--picture-bytes` each.
    #[arg(long, default_value_t = 0)]
    pictures: u32,
    /// Random bytes of each picture.
    #[arg(long, default_value_t = 2_000_000)]
    picture_bytes: usize,
    /// Captures whose records come to `--record-bytes` each, with pictures that are next to nothing.
    #[arg(long, default_value_t = 0)]
    records: u32,
    /// Bytes of JSON of all that is said of one of these captures.
    #[arg(long, default_value_t = 4_000)]
    record_bytes: usize,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &SeedArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        !args.dir.exists(),
        "{} is there already",
        args.dir.display()
    );
    let now_ms = SystemClock::default().stamp().unix_ms;
    let shots = args.pictures + args.records;
    let mut seed = Seed {
        chance: Chance::new(args.seed, &[0x5eed]),
        stamp: Stamp {
            unix_ms: now_ms - i64::from(shots) * MINUTE_MS,
            quality: ClockQuality::Synced,
            boot_id: "00000000-0000-4000-8000-000000000001".to_owned(),
            uptime_ms: MINUTE_MS.unsigned_abs(),
        },
    };
    let id = LedgerId(u32::try_from(seed.chance.below(u64::from(u32::MAX)))?);
    let opened = Ledger::open(&args.dir, Arc::new(OsDisk), || id, &seed.stamp);
    let (mut ledger, _new) = opened.context("the ledger could not be made")?;
    for _ in 0..args.pictures {
        seed.capture(&mut ledger, args.picture_bytes, 0)?;
    }
    let boxes = args.record_bytes.saturating_sub(BARE_BYTES) / BOX_BYTES;
    for _ in 0..args.records {
        seed.capture(&mut ledger, TINY_BYTES, boxes)?;
    }
    say(&format!("{shots} captures in {}", args.dir.display()))?;
    Ok(ExitCode::SUCCESS)
}

struct Seed {
    chance: Chance,
    stamp: Stamp,
}

impl Seed {
    /// One shot with its picture, looked at.
    fn capture(&mut self, ledger: &mut Ledger, bytes: usize, boxes: usize) -> anyhow::Result<()> {
        self.stamp.unix_ms += MINUTE_MS;
        self.stamp.uptime_ms += MINUTE_MS.unsigned_abs();
        let planned = ledger.open_shot(self.stamp.unix_ms, &self.stamp)?;
        let capture = NewCapture {
            stamp: self.stamp.clone(),
            source: CaptureSource::Replayed {
                file_name: format!("seed-{}.jpg", self.stamp.uptime_ms),
            },
            width_px: None,
            height_px: None,
            reading: None,
            cause: ShotCause::Schedule,
            shot: ShotFacts::default(),
            worth: Worth::Known(None),
        };
        let picture = self.bytes(bytes);
        ledger
            .admit(planned, capture, &picture)
            .map_err(|Returned { error, .. }| error)?;
        let fresh = ledger.next_fresh(1)?.context("the capture was looked at")?;
        let inspection = NewInspection {
            model: ModelRef {
                id: "seed".to_owned(),
                sha256: Sha256::of(b"seed"),
                threshold: 0.5,
            },
            stamp: self.stamp.clone(),
            took_ms: 1,
        };
        let found = Found::boxes((0..boxes).map(|_| self.seen()).collect());
        ledger.record_detections(fresh, &inspection, found)?;
        Ok(())
    }

    fn seen(&mut self) -> DetectionRecord {
        DetectionRecord {
            x_px: self.chance.near(0.0, 2000.0),
            y_px: self.chance.near(0.0, 2000.0),
            width_px: self.chance.near(5.0, 90.0),
            height_px: self.chance.near(5.0, 90.0),
            score: self.chance.near(0.5, 1.0),
            class: "insect".to_owned(),
            track: None,
            carried: false,
        }
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = (0..count.div_ceil(8)).flat_map(|_| self.chance.bits().to_le_bytes());
        words.take(count).collect()
    }
}
