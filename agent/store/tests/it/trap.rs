//! A trap for tests: a ledger on a simulated card, and the world's memory of
//! what that ledger has promised.

use crate::planted::{Planted, RowFirst};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use trapline_store::disk::{Loss, Lost, SimDisk};
use trapline_store::{
    Disk, Following, Ledger, NewCapture, NewInspection, NewReading, Recovery, StoreError, TrackNow,
    Worth,
};
use trapline_wire::v1::{
    CaptureSource, ClockQuality, DetectionRecord, ModelRef, Receipt, ShotCause, ShotFacts, Stamp,
    TrackBox, TrackOrigin,
};
use trapline_wire::{CaptureId, EffortId, LedgerId, Sha256};

/// Every way in which the loop loses what was not synced.
pub(crate) const LOSSES: [Loss; 9] = {
    const fn loss(bytes: Lost, names: Lost) -> Loss {
        Loss { bytes, names }
    }
    [
        loss(Lost::Nothing, Lost::Nothing),
        loss(Lost::Everything, Lost::Everything),
        loss(Lost::Half, Lost::Half),
        loss(Lost::Everything, Lost::Nothing),
        loss(Lost::Nothing, Lost::Everything),
        loss(Lost::Half, Lost::Nothing),
        loss(Lost::Nothing, Lost::Half),
        loss(Lost::Half, Lost::Everything),
        loss(Lost::Everything, Lost::Half),
    ]
};

pub(crate) struct Trap {
    pub(crate) folder: TempDir,
    pub(crate) disk: SimDisk,
    pub(crate) promised: Promised,
    /// What this trap does wrong.
    pub(crate) planted: Planted,
}

/// What the ledger has said with `Ok`, and what the server knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promised {
    pub(crate) ledger: Option<LedgerId>,
    pub(crate) admitted: BTreeMap<CaptureId, Vec<u8>>,
    pub(crate) opened: BTreeSet<EffortId>,
    pub(crate) on_server: BTreeSet<Sha256>,
    pub(crate) inspected: BTreeSet<CaptureId>,
    pub(crate) records_on_server: BTreeSet<CaptureId>,
    pub(crate) records_stored: BTreeSet<CaptureId>,
    pub(crate) safe: BTreeSet<CaptureId>,
    pub(crate) pruned: BTreeSet<CaptureId>,
}

impl Trap {
    pub(crate) fn new() -> Self {
        Self::with(Planted::Nothing)
    }

    pub(crate) fn with(planted: Planted) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            disk: SimDisk::new(),
            promised: Promised::default(),
            planted,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn open(&mut self) -> Result<(Ledger, Recovery), StoreError> {
        let disk: Arc<dyn Disk> = match self.planted {
            Planted::RowBeforeFile => Arc::new(RowFirst::over(self.disk.clone())),
            Planted::Nothing | Planted::DeleteBeforeReceipt | Planted::UnheardIsDelivered => {
                Arc::new(self.disk.clone())
            }
        };
        let opened = Ledger::open(self.path(), disk, || LedgerId(0x7f3a_9c21), &stamp(0))?;
        self.promised.ledger.get_or_insert(opened.0.id());
        Ok(opened)
    }

    /// The file of the picture, for tests that spoil it.
    pub(crate) fn picture_file(&self, capture: CaptureId) -> std::path::PathBuf {
        let number = capture.seq / 1000;
        self.path().join(format!("pictures/{number}/{capture}.jpg"))
    }
}

pub(crate) fn stamp(minute: i64) -> Stamp {
    Stamp {
        unix_ms: 1_780_000_000_000 + minute * 60_000,
        quality: ClockQuality::Synced,
        boot_id: "5a5c1b0e-9d0c-4b9e-8a51-2c7f0a9b5d11".to_owned(),
        uptime_ms: u64::try_from(minute).unwrap() * 60_000,
    }
}

/// Bytes that differ from picture to picture; no decoder sees them.
pub(crate) fn jpeg(number: u64) -> Vec<u8> {
    format!("picture {number} ")
        .into_bytes()
        .repeat(if number.is_multiple_of(2) { 20 } else { 23 })
}

pub(crate) fn new_capture(minute: i64) -> NewCapture {
    NewCapture {
        stamp: stamp(minute),
        source: CaptureSource::Replayed {
            file_name: format!("card-{minute}.jpg"),
        },
        width_px: Some(64),
        height_px: Some(48),
        reading: (minute % 2 == 0).then(|| new_reading(minute)),
        cause: ShotCause::Schedule,
        shot: ShotFacts::default(),
        worth: Worth::Known(None),
    }
}

pub(crate) fn new_reading(minute: i64) -> NewReading {
    NewReading {
        stamp: stamp(minute),
        temperature_c: Some(21.5),
        humidity_percent: Some(60.25),
        light_lux: None,
        battery_v: Some(3.9),
    }
}

pub(crate) fn new_inspection(minute: i64) -> NewInspection {
    NewInspection {
        model: ModelRef {
            id: "trapline-tiny-1".to_owned(),
            sha256: Sha256::of(b"model"),
            threshold: 0.5,
        },
        stamp: stamp(minute),
        took_ms: 1200,
    }
}

pub(crate) fn detection(score: f32) -> DetectionRecord {
    DetectionRecord {
        x_px: 1.5,
        y_px: 2.0,
        width_px: 10.0,
        height_px: 12.0,
        score,
        class: "insect".to_owned(),
        track: None,
        carried: false,
    }
}

/// A follower that saw the insect with `number` in this and all pictures before.
pub(crate) fn following(frame: u64, number: u64) -> Following {
    Following {
        is_anew: frame == 0,
        frame,
        is_new_card: false,
        tracks: vec![TrackNow {
            number,
            first: 0,
            last: frame,
            best: frame,
            best_box: TrackBox {
                x_px: 1.5,
                y_px: 2.0,
                width_px: 10.0,
                height_px: 12.0,
            },
            score: 0.9,
            class: "insect".to_owned(),
            seen: u32::try_from(frame).unwrap() + 1,
            origin: TrackOrigin::Arrived,
            is_confirmed: frame > 0,
            could_be: None,
            end: None,
        }],
        state: frame.to_le_bytes().to_vec(),
        of_card: (frame == 0).then(|| number.to_le_bytes().to_vec()),
    }
}

pub(crate) fn receipt(sha256: Sha256, size_bytes: u64) -> Receipt {
    Receipt {
        sha256,
        size_bytes,
        stored_ms: 1_780_000_999_000,
    }
}
