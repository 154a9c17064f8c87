//! The JSON of every type of version 1 and of what researchers read. A changed
//! snapshot is a changed protocol: old traps talk to new servers.

use insta::assert_json_snapshot;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use trapline_wire::arrivals::{Count, Interval};
use trapline_wire::read::{
    Arrivals, CaptureDetail, CaptureSummary, EffortRow, Me, OfferView, Page, PictureState,
    ReadingRow, Timeline, TimelineCapture, TimelineReading, TrackDetail, TrackMoment, TrackRow,
    TrapSummary, UpdateView,
};
use trapline_wire::v1::{
    CaptureRecord, CaptureSource, CardSeen, ClockQuality, DetectionRecord, EffortOutcome,
    EffortRecord, Fault, Heartbeat, InspectionOutcome, InspectionRecord, LookFacts, MissReason,
    ModelAnswer, ModelOffer, ModelRef, ModelState, PictureFlaw, PictureQuality, PictureRef,
    PictureStatus, Problem, ReadingRecord, Receipt, RecordKind, Refusal, RefusalReason, ShotCause,
    ShotFacts, Stamp, SyncBatch, SyncReply, TrackBox, TrackEnd, TrackOrigin, TrackRecord,
    UnfinishedUpload, UpdateAnswer, UpdateOffer, UpdateState, WholeBecause, is_version,
};
use trapline_wire::{CaptureId, EffortId, LedgerId, ReadingId, Sha256, TrackId, TrapId, TrapKey};

const LEDGER: LedgerId = LedgerId(0x7f3a_9c21);

/// Reads back what is written, then compares it with the snapshot of that name.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    assert_json_snapshot!(name, value);
}

fn stamp() -> Stamp {
    Stamp {
        unix_ms: 1_782_000_000_123,
        quality: ClockQuality::Restored,
        boot_id: "8f14e45f-ceea-467f-a8d5-1c9e2b7f0a11".to_owned(),
        uptime_ms: 86_400_000,
    }
}

fn capture_id() -> CaptureId {
    CaptureId::new(LEDGER, 42)
}

fn trap_id() -> TrapId {
    TrapKey::from_random(&[3; 25]).trap().clone()
}

fn picture() -> PictureRef {
    PictureRef {
        sha256: Sha256::of(b"picture"),
        size_bytes: 2_345_678,
        width_px: Some(4608),
        height_px: Some(2592),
    }
}

fn fault() -> Fault {
    Fault {
        part: "camera".to_owned(),
        message: "no picture for an hour: check the cable".to_owned(),
        since_ms: 1_781_990_000_000,
    }
}

fn effort(outcome: EffortOutcome) -> EffortRecord {
    EffortRecord {
        id: EffortId::new(LEDGER, 7),
        due_ms: 1_782_000_000_000,
        last_due_ms: 1_782_000_600_000,
        shots: 11,
        outcome,
        closed: stamp(),
    }
}

fn missed() -> EffortOutcome {
    EffortOutcome::Missed {
        reason: MissReason::Battery,
        detail: "3.21 V is below 3.30 V".to_owned(),
    }
}

fn capture(source: CaptureSource) -> CaptureRecord {
    CaptureRecord {
        id: capture_id(),
        stamp: stamp(),
        source,
        picture: picture(),
        reading: Some(ReadingId::new(LEDGER, 43)),
        cause: None,
        shot: None,
        quality: None,
    }
}

fn shot() -> ShotFacts {
    ShotFacts {
        exposure_us: Some(8_333),
        gain: Some(2.25),
        lens_dioptres: Some(4.5),
        white_balance_k: Some(5_100),
        sensor_c: Some(31.5),
        sensor_model: Some("imx708".to_owned()),
    }
}

fn quality() -> PictureQuality {
    PictureQuality {
        sharpness: 0.5,
        mean_luma: 31.5,
        contrast: 12.25,
        dark_share: 0.125,
        bright_share: 0.0,
        cast: 0.5,
        hue_degrees: 52.5,
        flaws: vec![PictureFlaw::Dark, PictureFlaw::Blurred],
    }
}

fn inspection(outcome: InspectionOutcome) -> InspectionRecord {
    InspectionRecord {
        capture: capture_id(),
        model: ModelRef {
            id: "sticky-1".to_owned(),
            sha256: Sha256::of(b"model"),
            threshold: 0.4,
        },
        stamp: stamp(),
        took_ms: 5_300,
        outcome,
    }
}

fn seen() -> InspectionOutcome {
    InspectionOutcome::Seen {
        detections: vec![DetectionRecord {
            x_px: 12.5,
            y_px: 30.0,
            width_px: 41.25,
            height_px: 38.0,
            score: 0.87,
            class: "insect".to_owned(),
            track: None,
            carried: false,
        }],
        look: None,
    }
}

/// A look that left tiles out, with an insect that was there before and a new one.
fn looked() -> InspectionOutcome {
    let InspectionOutcome::Seen { mut detections, .. } = seen() else {
        return seen();
    };
    let Some(new) = detections.first_mut() else {
        return seen();
    };
    let mut known = new.clone();
    known.track = Some(16);
    known.carried = true;
    new.track = Some(17);
    detections.push(known);
    InspectionOutcome::Seen {
        detections,
        look: Some(LookFacts {
            tiles: 88,
            tiles_run: 3,
            whole: None,
            is_half: false,
            shift_x_px: Some(-1.25),
            shift_y_px: Some(0.5),
            card: CardSeen::Same,
            sharpness: 0.125,
            mean_luma: 131.5,
            clipped_share: 0.0625,
            is_poor: false,
        }),
    }
}

fn track(end: Option<TrackEnd>) -> TrackRecord {
    TrackRecord {
        id: TrackId::new(LEDGER, 17),
        revision: 3,
        first: CaptureId::new(LEDGER, 42),
        last: CaptureId::new(LEDGER, 51),
        best: CaptureId::new(LEDGER, 44),
        best_box: TrackBox {
            x_px: 12.5,
            y_px: 30.0,
            width_px: 41.25,
            height_px: 38.0,
        },
        score: 0.91,
        class: "insect".to_owned(),
        model: ModelRef {
            id: "sticky-1".to_owned(),
            sha256: Sha256::of(b"model"),
            threshold: 0.4,
        },
        seen: 8,
        card: 2,
        origin: TrackOrigin::Arrived,
        is_confirmed: true,
        could_be: end.map(|_| TrackId::new(LEDGER, 9)),
        end,
    }
}

fn gave_up() -> InspectionOutcome {
    InspectionOutcome::GaveUp {
        reason: "not a JPEG".to_owned(),
        attempts: 3,
    }
}

fn reading() -> ReadingRecord {
    ReadingRecord {
        id: ReadingId::new(LEDGER, 43),
        stamp: stamp(),
        temperature_c: Some(18.25),
        humidity_percent: Some(71.5),
        light_lux: None,
        battery_v: Some(3.92),
    }
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        stamp: stamp(),
        agent_version: "0.1.0".to_owned(),
        model: Some("sticky-1".to_owned()),
        model_offer: None,
        update: None,
        captures: 42,
        missed: 11,
        records_waiting: 3,
        pictures_waiting: 2,
        pictures_waiting_bytes: 4_700_000,
        disk_free_bytes: Some(12_000_000_000),
        next_due_ms: Some(1_782_000_900_000),
        battery_v: None,
        faults: vec![fault()],
    }
}

fn receipt() -> Receipt {
    Receipt {
        sha256: Sha256::of(b"picture"),
        size_bytes: 2_345_678,
        stored_ms: 1_782_000_100_000,
    }
}

#[test]
fn what_a_trap_sends() {
    check("batch_empty", &SyncBatch::default());
    check(
        "batch_full",
        &SyncBatch {
            heartbeat: Some(heartbeat()),
            effort: vec![
                effort(missed()),
                effort(EffortOutcome::Done {
                    capture: capture_id(),
                }),
            ],
            readings: vec![reading()],
            captures: vec![
                capture(CaptureSource::Replayed {
                    file_name: "card-17.jpg".to_owned(),
                }),
                capture(CaptureSource::Camera {
                    model: "imx708".to_owned(),
                }),
                CaptureRecord {
                    cause: Some(ShotCause::Trigger),
                    shot: Some(shot()),
                    quality: Some(quality()),
                    ..capture(CaptureSource::Simulated)
                },
            ],
            inspections: vec![
                inspection(seen()),
                inspection(gave_up()),
                inspection(looked()),
            ],
            tracks: vec![track(None), track(Some(TrackEnd::Gone))],
        },
    );
}

#[test]
fn the_words_of_the_wire() {
    use ClockQuality::{Restored, Rtc, Synced, Unset};
    check("clock_quality", &vec![Unset, Restored, Rtc, Synced]);
    use MissReason::{Battery, Camera, Clock, Cut, Disk, Off, Overrun};
    check(
        "miss_reason",
        &vec![Camera, Disk, Cut, Off, Overrun, Battery, Clock],
    );
    use RecordKind::{Capture, Effort, Inspection, Reading, Track};
    check(
        "record_kind",
        &vec![Effort, Reading, Capture, Inspection, Track],
    );
    check(
        "track_end",
        &vec![TrackEnd::Gone, TrackEnd::CardChanged, TrackEnd::Lost],
    );
    check(
        "track_origin",
        &vec![TrackOrigin::Arrived, TrackOrigin::Present],
    );
    check(
        "card_seen",
        &vec![CardSeen::First, CardSeen::Same, CardSeen::New],
    );
    use WholeBecause::{
        Asked, Card, Due, First, Focus, Light, Many, Model, Moved, Other, Size, Ungated,
    };
    check(
        "whole_because",
        &vec![
            First, Asked, Due, Size, Model, Light, Focus, Moved, Card, Many, Ungated, Other,
        ],
    );
    use PictureState::{OnTrap, Stored, Unreadable};
    check("picture_state", &vec![OnTrap, Stored, Unreadable]);
}

#[test]
fn what_the_server_answers() {
    check(
        "reply",
        &SyncReply {
            server_time_ms: 1_782_000_200_000,
            stored: 6,
            refused: [
                RefusalReason::Conflict,
                RefusalReason::UnknownCapture,
                RefusalReason::Invalid,
            ]
            .map(|reason| Refusal {
                id: capture_id().to_string(),
                kind: RecordKind::Capture,
                reason,
                message: "why, in a sentence".to_owned(),
            })
            .to_vec(),
            receipts: vec![receipt()],
            ..SyncReply::default()
        },
    );
    check(
        "reply_with_unfinished",
        &SyncReply {
            server_time_ms: 1_782_000_200_000,
            unfinished: Some(vec![Sha256::of(b"a picture")]),
            ..SyncReply::default()
        },
    );
    check("picture_status_unknown", &PictureStatus::default());
    check(
        "picture_status",
        &PictureStatus {
            receipt: Some(receipt()),
            upload: Some(UnfinishedUpload {
                location: "/api/v1/uploads/0123".to_owned(),
                offset_bytes: 1_000,
            }),
        },
    );
    check(
        "problem",
        &Problem {
            error: "bad_key".to_owned(),
            message: "this key is not known here".to_owned(),
        },
    );
}

fn summary() -> CaptureSummary {
    CaptureSummary {
        trap: trap_id(),
        id: capture_id(),
        taken_ms: 1_782_000_000_123,
        clock: ClockQuality::Rtc,
        picture_state: PictureState::Stored,
        width_px: Some(4608),
        height_px: Some(2592),
        insects: Some(1),
        gave_up: None,
        source: CaptureSource::Simulated,
        cause: Some(ShotCause::Schedule),
        flaws: quality().flaws,
    }
}

fn reading_row() -> ReadingRow {
    ReadingRow {
        trap: trap_id(),
        id: "7f3a9c21-00000043".to_owned(),
        taken_ms: 1_782_000_000_123,
        clock: ClockQuality::Synced,
        temperature_c: Some(18.25),
        humidity_percent: None,
        light_lux: Some(1200.0),
        battery_v: Some(3.92),
    }
}

fn effort_row() -> EffortRow {
    EffortRow {
        trap: trap_id(),
        id: "7f3a9c21-00000007".to_owned(),
        due_ms: 1_782_000_000_000,
        last_due_ms: 1_782_000_600_000,
        shots: 11,
        outcome: missed(),
    }
}

#[test]
fn what_a_researcher_reads_of_traps() {
    check(
        "me",
        &Me {
            name: "ada".to_owned(),
        },
    );
    check(
        "traps",
        &Page {
            items: vec![TrapSummary {
                id: trap_id(),
                name: "meadow 1".to_owned(),
                revoked: false,
                last_contact_ms: Some(1_782_000_200_000),
                last_capture_ms: Some(1_782_000_000_123),
                last_capture: Some(capture_id()),
                captures: 42,
                captures_today: 12,
                insects_latest: Some(17),
                insects_today: Some(5),
                missed_today: 11,
                battery_v: Some(3.92),
                clock: Some(ClockQuality::Unset),
                clock_behind_ms: Some(-1_500),
                pictures_waiting: Some(2),
                next_due_ms: None,
                agent_version: Some("0.1.0".to_owned()),
                faults: vec![fault()],
                model: Some("sticky-1".to_owned()),
                offer: Some(OfferView {
                    id: "sticky-2".to_owned(),
                    offered_ms: 1_782_000_000_000,
                    state: Some(ModelState::Trying),
                }),
                update: None,
                update_offer: Some(UpdateView {
                    version: "0.2.0".to_owned(),
                    offered_ms: 1_782_000_000_000,
                    state: Some(UpdateState::Ready),
                }),
            }],
            next: Some("7".to_owned()),
        },
    );
    check(
        "timeline",
        &Timeline {
            from_ms: 1_781_900_000_000,
            until_ms: 1_782_100_000_000,
            readings: vec![TimelineReading {
                taken_ms: 1_782_000_000_123,
                temperature_c: Some(18.25),
                humidity_percent: None,
                light_lux: Some(1200.0),
            }],
            captures: vec![TimelineCapture {
                taken_ms: 1_782_000_000_123,
                id: capture_id(),
                insects: None,
                picture_state: PictureState::OnTrap,
                flaws: vec![PictureFlaw::Covered],
            }],
            missed: vec![effort_row()],
            truncated: false,
        },
    );
}

#[test]
fn what_a_researcher_reads_of_captures() {
    check(
        "captures",
        &Page {
            items: vec![summary()],
            next: None,
        },
    );
    check(
        "capture_detail",
        &CaptureDetail {
            summary: summary(),
            trap_name: "meadow 1".to_owned(),
            stamp: stamp(),
            picture: picture(),
            shot: Some(shot()),
            quality: Some(quality()),
            stored_ms: Some(1_782_000_100_000),
            reading: Some(reading_row()),
            inspections: vec![inspection(seen())],
            arrivals: vec![17],
            previous: Some(CaptureId::new(LEDGER, 40)),
            next: None,
        },
    );
    check("reading_row", &reading_row());
    check("effort_row", &effort_row());
}

/// A trap of tomorrow says more than a server of today knows.
#[test]
fn what_a_researcher_reads_of_arrivals() {
    let row = TrackRow {
        trap: trap_id(),
        first_ms: 1_782_000_000_123,
        first_clock: ClockQuality::Rtc,
        last_ms: 1_782_010_000_123,
        best_picture: PictureState::Stored,
        track: track(None),
    };
    check(
        "track_detail",
        &TrackDetail {
            row,
            trap_name: "Meadow 3".to_owned(),
            moments: vec![TrackMoment {
                capture: capture_id(),
                taken_ms: 1_782_000_000_123,
                picture_state: PictureState::Stored,
                place: track(None).best_box,
            }],
        },
    );
    let interval = |arrivals| Interval {
        from_ms: 1_782_000_000_000,
        until_ms: 1_782_003_600_000,
        looks: 3,
        failed: 0,
        arrivals,
        clock_doubtful: 0,
    };
    check(
        "arrivals",
        &Arrivals {
            from_ms: 1_782_000_000_000,
            until_ms: 1_782_007_200_000,
            step_ms: 3_600_000,
            intervals: vec![
                interval(Some(Count {
                    counted: 14,
                    low: 12,
                    high: 17,
                })),
                interval(None),
            ],
            total: Some(Count {
                counted: 14,
                low: 13,
                high: 16,
            }),
            models: vec!["sticky-1".to_owned()],
        },
    );
}

#[test]
fn reasons_of_a_newer_trap_are_still_read() {
    let read: WholeBecause = serde_json::from_str("\"the_moon\"").unwrap();
    assert_eq!(read, WholeBecause::Other);
}

#[test]
fn unknown_fields_are_passed_over() {
    let text = r#"{"captures": [], "weather": {"rain": true}}"#;
    let batch: SyncBatch = serde_json::from_str(text).unwrap();
    assert_eq!(batch, SyncBatch::default());
}

#[test]
fn a_model_on_its_way() {
    let offer = ModelOffer {
        id: "sticky-2".to_owned(),
        sha256: Sha256::of(b"model"),
        size_bytes: 450_000,
        manifest_sha256: Sha256::of(b"manifest"),
        manifest_size_bytes: 1_200,
    };
    check(
        "reply_with_model",
        &SyncReply {
            server_time_ms: 1_782_000_000_500,
            stored: 0,
            refused: Vec::new(),
            receipts: Vec::new(),
            model: Some(offer),
            ..SyncReply::default()
        },
    );
    let answer = |state| ModelAnswer {
        id: "sticky-2".to_owned(),
        manifest_sha256: Sha256::of(b"manifest"),
        state,
        since_ms: 1_782_000_000_000,
    };
    let states = [
        ModelState::Fetching {
            done_bytes: 131_072,
            size_bytes: 451_200,
        },
        ModelState::Trying,
        ModelState::Probation { pictures_left: 7 },
        ModelState::InUse,
        ModelState::Refused {
            reason: "it takes 4.1 s a picture, the model in use 1.2 s".to_owned(),
        },
    ];
    assert_eq!(
        states.each_ref().map(ModelState::is_settled),
        [false, false, false, true, true]
    );
    check("model_answer", &states.map(answer).to_vec());
}

#[test]
fn an_update_on_its_way() {
    check(
        "reply_with_update",
        &SyncReply {
            server_time_ms: 1_782_000_000_500,
            stored: 0,
            refused: Vec::new(),
            receipts: Vec::new(),
            update: Some(UpdateOffer {
                version: "0.2.0".to_owned(),
                sha256: Sha256::of(b"bundle"),
                size_bytes: 180_000_000,
            }),
            ..SyncReply::default()
        },
    );
    let reason = "its signature is not of a key that this trap knows".to_owned();
    let states = [
        UpdateState::Fetching {
            done_bytes: 1_048_576,
            size_bytes: 180_000_000,
        },
        UpdateState::Ready,
        UpdateState::Installed,
        UpdateState::Confirmed,
        UpdateState::Refused {
            reason: reason.clone(),
        },
        UpdateState::Returned { reason },
    ];
    assert_eq!(
        states.each_ref().map(UpdateState::is_settled),
        [false, false, false, true, true, true]
    );
    let answer = |state| UpdateAnswer {
        version: "0.2.0".to_owned(),
        sha256: Some(Sha256::of(b"bundle")),
        state,
        since_ms: 1_782_000_000_000,
    };
    check("update_answer", &states.map(answer).to_vec());
    for version in ["0.2.0", "2026.05+meadow-1", "1~rc1"] {
        assert!(is_version(version), "{version}");
    }
    for version in ["", "a/b", "..", "-v", "a b", &"9".repeat(65)] {
        assert!(!is_version(version), "{version}");
    }
}
