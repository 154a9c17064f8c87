//! Insects over pictures: counted once, through stops, cuts and other models.

use crate::devices::{Look, detector};
use crate::stages::Trap;
use std::sync::Arc;
use std::time::Duration;
use trapline_agent::follow::Follower;
use trapline_agent::inspect::{Seen, SeenBox};
use trapline_detect::arrivals::{Scene, Settings, appearance, scene};
use trapline_detect::{Detection, Picture};
use trapline_store::{Followed, OsDisk, View};
use trapline_wire::v1::{
    CardSeen, InspectionOutcome, LookFacts, ModelRef, TrackOrigin, TrackRecord,
};
use trapline_wire::{CaptureId, LedgerId, Sha256};

fn looks(trap: &Trap) -> Vec<(CardSeen, u32)> {
    let view = View::open(trap.folder.path(), Arc::new(OsDisk)).unwrap();
    let captures = view.captures(None, 1000).unwrap();
    let outcomes = captures
        .iter()
        .flat_map(|row| view.inspections(row.record.id).unwrap())
        .map(|row| row.record.outcome);
    outcomes
        .filter_map(|outcome| match outcome {
            InspectionOutcome::Seen { look, .. } => look,
            InspectionOutcome::GaveUp { .. } => None,
        })
        .map(|look| (look.card, look.tiles_run))
        .collect()
}

fn tracks(trap: &Trap) -> Vec<TrackRecord> {
    let view = View::open(trap.folder.path(), Arc::new(OsDisk)).unwrap();
    let rows = view.tracks(None, 1000).unwrap();
    rows.into_iter().map(|row| row.record).collect()
}

#[tokio::test(start_paused = true)]
async fn the_same_insect_is_one_track_through_a_stop_and_a_cut() {
    let trap = Trap::new(Vec::new());
    trap.runs(170, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    trap.runs(110, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    {
        // A dropped future is a power cut: what was remembered is gone.
        let agent = trap.agent(Vec::new(), detector(Vec::new()));
        let never = std::future::pending::<()>();
        let cut = tokio::time::timeout(Duration::from_secs(110), agent.run(never)).await;
        assert!(cut.is_err());
    }
    trap.runs(110, trap.agent(Vec::new(), detector(Vec::new())))
        .await;
    let looks = looks(&trap);
    assert!(looks.len() >= 8, "{looks:?}");
    let whole = looks.iter().filter(|(card, _)| *card == CardSeen::First);
    assert_eq!(
        whole.count(),
        2,
        "once at first and once after the cut: {looks:?}"
    );
    assert!(
        looks
            .iter()
            .all(|(card, run)| (*card == CardSeen::First) == (*run == 4))
    );
    let tracks = tracks(&trap);
    assert_eq!(tracks.len(), 1, "{tracks:?}");
    assert_eq!(tracks[0].origin, TrackOrigin::Present);
    assert!(tracks[0].is_confirmed && tracks[0].end.is_none());
    assert_eq!(trap.summary().records_waiting, 0);
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(held.tracks.values().collect::<Vec<_>>(), [&tracks[0]]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_given_up_is_a_gap_and_no_absence() {
    let trap = Trap::new(Vec::new());
    let looks = vec![Look::Unreadable; 2];
    trap.runs(290, trap.agent(Vec::new(), detector(looks)))
        .await;
    let tracks = tracks(&trap);
    assert_eq!(tracks.len(), 1);
    assert_eq!((tracks[0].first.seq, tracks[0].end), (3, None));
}

const LEDGER: LedgerId = LedgerId(0x7f3a_9c21);

fn model(name: &str) -> ModelRef {
    ModelRef {
        id: name.to_owned(),
        sha256: Sha256::of(name.as_bytes()),
        threshold: 0.4,
    }
}

/// Insects of the same looks at these places.
fn seen(places: &[(f32, f32)]) -> Seen {
    let picture = Picture {
        width_px: 40,
        height_px: 40,
        rgb: [200, 190, 60].repeat(40 * 40),
    };
    let boxes = places.iter().map(|(x_px, y_px)| SeenBox {
        x_px: *x_px,
        y_px: *y_px,
        width_px: 20.0,
        height_px: 16.0,
        score: 0.9,
        class: 0,
        carried: false,
        appearance: appearance(
            &picture,
            &Detection {
                x_px: 10.0,
                y_px: 10.0,
                width_px: 20.0,
                height_px: 16.0,
                score: 0.9,
                class: 0,
            },
        ),
    });
    Seen {
        boxes: boxes.collect(),
        class_names: vec!["insect".to_owned()],
        facts: LookFacts {
            tiles: 4,
            tiles_run: 4,
            whole: None,
            is_half: false,
            shift_x_px: Some(0.0),
            shift_y_px: Some(0.0),
            card: CardSeen::Same,
            sharpness: 1.0,
            mean_luma: 120.0,
            clipped_share: 0.0,
            is_poor: false,
        },
        scene: None,
        memory: Vec::new(),
    }
}

fn capture(seq: u64) -> CaptureId {
    CaptureId::new(LEDGER, seq)
}

const HERE: [(f32, f32); 3] = [(100.0, 100.0), (300.0, 120.0), (500.0, 400.0)];
const ONE_MORE: [(f32, f32); 4] = [HERE[0], HERE[1], HERE[2], (900.0, 700.0)];

fn anew() -> Follower {
    Follower::resume(None, Settings::default())
}

#[test]
fn an_insect_that_comes_later_has_arrived() {
    let (found, follower) = anew().after(capture(1), &model("m"), &seen(&HERE));
    let following = found.following.unwrap();
    assert!(following.is_anew);
    assert_eq!(following.tracks.len(), 3);
    let origins = following.tracks.iter().map(|track| track.origin);
    assert!(origins.clone().all(|origin| origin == TrackOrigin::Present));
    let (found, _) = follower.after(capture(2), &model("m"), &seen(&ONE_MORE));
    let following = found.following.unwrap();
    assert!(!following.is_anew);
    let arrived: Vec<u64> = following
        .tracks
        .iter()
        .filter(|track| track.origin == TrackOrigin::Arrived)
        .map(|track| track.number)
        .collect();
    assert_eq!(arrived, [4]);
    assert_eq!(found.detections[3].track, Some(4));
}

#[test]
fn a_picture_that_comes_again_or_too_late_counts_no_second_time() {
    let (_, follower) = anew().after(capture(5), &model("m"), &seen(&HERE));
    for again in [capture(5), capture(4)] {
        let (found, after) = follower.after(again, &model("other"), &seen(&ONE_MORE));
        assert_eq!(found.following, None);
        assert!(found.detections.iter().all(|found| found.track.is_none()));
        assert_eq!(after, follower);
    }
}

#[test]
fn what_only_another_model_sees_did_not_arrive() {
    let (_, follower) = anew().after(capture(1), &model("m"), &seen(&HERE));
    let (found, follower) = follower.after(capture(2), &model("better"), &seen(&ONE_MORE));
    let tracks = found.following.unwrap().tracks;
    assert_eq!(tracks.len(), 4);
    assert!(
        tracks
            .iter()
            .all(|track| track.origin == TrackOrigin::Present)
    );
    let more = [&ONE_MORE[..], &[(200.0, 900.0)]].concat();
    let (found, _) = follower.after(capture(3), &model("better"), &seen(&more));
    let tracks = found.following.unwrap().tracks;
    let new = tracks.iter().find(|track| track.number == 5).unwrap();
    assert_eq!(new.origin, TrackOrigin::Arrived);
}

#[test]
fn a_state_goes_on_exactly_or_not_at_all() {
    let (found, follower) = anew().after(capture(1), &model("m"), &seen(&HERE));
    let followed = |state: Vec<u8>| Followed {
        capture: capture(1),
        model_sha256: model("m").sha256,
        state,
        of_card: Vec::new(),
    };
    let state = found.following.unwrap().state;
    let resumed = Follower::resume(Some(&followed(state.clone())), Settings::default());
    assert_eq!(resumed, follower);
    let next = |follower: &Follower| follower.after(capture(2), &model("m"), &seen(&ONE_MORE)).0;
    assert_eq!(next(&resumed), next(&follower));
    for spoilt in [
        b"".to_vec(),
        b"{}".to_vec(),
        state[..state.len() / 2].to_vec(),
    ] {
        let resumed = Follower::resume(Some(&followed(spoilt)), Settings::default());
        let following = next(&resumed).following.unwrap();
        assert!(following.is_anew);
        let origins = following.tracks.iter().map(|track| track.origin);
        assert!(origins.clone().all(|origin| origin == TrackOrigin::Present));
    }
}

/// A card of 1024 by 1024 pixels with something dark at these places.
fn card(places: &[(f32, f32)]) -> Scene {
    let is_dark = |x: u16, y: u16| {
        places.iter().any(|(left, top)| {
            (*left..left + 20.0).contains(&f32::from(x))
                && (*top..top + 16.0).contains(&f32::from(y))
        })
    };
    let pixels = (0..1024).flat_map(|y| (0..1024).map(move |x| (x, y)));
    let colour = |(x, y)| {
        if is_dark(x, y) {
            [50, 45, 20]
        } else {
            [200, 190, 60]
        }
    };
    scene(&Picture {
        width_px: 1024,
        height_px: 1024,
        rgb: pixels.flat_map(colour).collect(),
    })
}

fn seen_on(card: &Scene, places: &[(f32, f32)]) -> Seen {
    Seen {
        scene: Some(card.clone()),
        ..seen(places)
    }
}

fn origins(found: &trapline_store::Found) -> Vec<TrackOrigin> {
    let following = found.following.as_ref().unwrap();
    following.tracks.iter().map(|track| track.origin).collect()
}

#[test]
fn what_was_overlooked_at_first_did_not_arrive_through_a_restart_and_another_model() {
    use TrackOrigin::{Arrived, Present};
    let overlooked = [(900.0, 700.0), (200.0, 600.0)];
    let first = card(&[&HERE[..], &overlooked].concat());
    let (found, follower) = anew().after(capture(1), &model("m"), &seen_on(&first, &HERE));
    let following = found.following.unwrap();
    let (state, of_card) = (following.state, following.of_card.unwrap());
    assert!(state.len() < 3_000, "{} bytes", state.len());
    assert!(of_card.len() < 90_000, "{} bytes", of_card.len());
    let followed = Followed {
        capture: capture(1),
        model_sha256: model("m").sha256,
        state,
        of_card,
    };
    let resumed = Follower::resume(Some(&followed), Settings::default());
    assert_eq!(resumed, follower);

    let later = [&HERE[..], &[overlooked[0], (600.0, 900.0)]].concat();
    let now = card(&[&later[..], &overlooked[1..]].concat());
    let (found, follower) = resumed.after(capture(2), &model("m"), &seen_on(&now, &later));
    let of_card = &found.following.as_ref().unwrap().of_card;
    assert_eq!(*of_card, None, "the same card is not written again");
    assert_eq!(
        origins(&found),
        [Present, Present, Present, Present, Arrived]
    );

    let (_, follower) = follower.after(capture(3), &model("better"), &seen_on(&now, &later));
    let all = [&later[..], &overlooked[1..], &[(80.0, 850.0)]].concat();
    let now = card(&all);
    let (found, _) = follower.after(capture(4), &model("better"), &seen_on(&now, &all));
    assert_eq!(origins(&found)[5..], [Present, Arrived]);
}

#[test]
fn an_answer_without_a_scene_counts_as_before() {
    let text = serde_json::to_string(&seen(&HERE)).unwrap();
    assert!(!text.contains("scene"));
    let answered: Seen = serde_json::from_str(&text).unwrap();
    assert_eq!(answered, seen(&HERE));
    let with = seen_on(&card(&HERE), &HERE);
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), with);

    let (_, follower) = anew().after(capture(1), &model("m"), &answered);
    let now = seen_on(&card(&ONE_MORE), &ONE_MORE);
    let (found, _) = follower.after(capture(2), &model("m"), &now);
    assert_eq!(origins(&found)[3], TrackOrigin::Arrived);
    let (_, follower) = anew().after(capture(1), &model("m"), &seen_on(&card(&ONE_MORE), &HERE));
    let (found, _) = follower.after(capture(2), &model("m"), &seen(&ONE_MORE));
    assert_eq!(origins(&found)[3], TrackOrigin::Arrived);
}

#[test]
fn a_spoilt_scene_starts_anew_and_counts_nothing() {
    let (found, _) = anew().after(capture(1), &model("m"), &seen_on(&card(&HERE), &HERE));
    let following = found.following.unwrap();
    let of_card = String::from_utf8(following.of_card.unwrap()).unwrap();
    for (sound, spoilt) in [
        ("\"grey\":\"", "\"grey\":\"AAAA"),
        ("\"grey\":\"", "\"grey\":\"?"),
        ("\"width\":256", "\"width\":18446744073709551615"),
        ("\"factor\":4", "\"factor\":0"),
    ] {
        let followed = Followed {
            capture: capture(1),
            model_sha256: model("m").sha256,
            state: following.state.clone(),
            of_card: of_card.replacen(sound, spoilt, 1).into_bytes(),
        };
        let resumed = Follower::resume(Some(&followed), Settings::default());
        let (found, _) = resumed.after(capture(2), &model("m"), &seen(&ONE_MORE));
        assert!(found.following.as_ref().unwrap().is_anew, "{spoilt}");
        assert_eq!(origins(&found), [TrackOrigin::Present; 4]);
    }
}
