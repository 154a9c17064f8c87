//! A trap asks before it delivers, as often as it takes, and a copy delivers nothing.

use crate::devices::detector;
use crate::server::Way;
use crate::stages::Trap;
use trapline_agent::agent::Agent;
use trapline_agent::enrol::EnrolState;
use trapline_agent::enrol::ask::{Enrol, Wishes};
use trapline_agent::enrol::kept::Kept;
use trapline_wire::LedgerId;
use trapline_wire::v1::{EnrolAnswer, Hardware};

const URL: &str = "http://traps.example";

fn on(card: &str) -> Hardware {
    Hardware {
        card: Some(card.to_owned()),
        board: None,
    }
}

fn asks(trap: &Trap, agent: Agent, kept: &Kept, card: &str) -> Agent {
    let wishes = Wishes {
        url: URL.to_owned(),
        token: None,
        name: None,
        place: None,
    };
    let mut drawn = 0;
    let draw = Box::new(move || {
        drawn += 1;
        Some([drawn; 32])
    });
    agent.enrolling(Enrol::new(
        kept.clone(),
        trap.folder.path(),
        wishes,
        on(card),
        draw,
    ))
}

fn enrolled(kept: &Kept) -> EnrolAnswer {
    EnrolAnswer::Enrolled {
        trap: kept.identity().public_key().trap(),
        name: "meadow".to_owned(),
    }
}

fn state(trap: &Trap) -> EnrolState {
    let kept = Kept::read(trap.folder.path()).unwrap().unwrap();
    kept.facts(URL).state
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_asked_for_again() {
    let trap = Trap::new(vec![Way::LosesAnswer, Way::LosesRequest, Way::LosesAnswer]);
    let kept = Kept::new([9; 32], on("a"));
    trap.uplink.held.lock().unwrap().enrol_answers = vec![enrolled(&kept)];
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    trap.runs(200, asks(&trap, agent, &kept, "a")).await;
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(held.asked.len(), 3, "one request never came");
    let same = |request: &trapline_wire::v1::EnrolRequest| {
        request.public_key == kept.identity().public_key()
    };
    assert!(held.asked.iter().all(same));
    assert!(!held.captures.is_empty() && !held.heartbeats.is_empty());
    drop(held);
    assert_eq!(state(&trap), EnrolState::Enrolled);
}

#[tokio::test(start_paused = true)]
async fn a_copy_goes_on_and_delivers_nothing_until_it_is_a_trap_of_its_own() {
    let trap = Trap::new(Vec::new());
    let mut kept = Kept::new([9; 32], on("a"));
    let brought_along = 2;
    {
        // Before it was copied, the trap took pictures that nobody has yet.
        trap.uplink.held.lock().unwrap().enrol_answers = vec![EnrolAnswer::Pending {
            code: kept.identity().public_key().code(),
        }];
        let agent = trap.agent(Vec::new(), detector(Vec::new()));
        trap.runs(120, asks(&trap, agent, &kept, "a")).await;
    }
    let before = trap.summary().captures;
    assert!(before >= brought_along, "{before} pictures");
    assert!(kept.look_around(&on("b"), 5));
    let copy = LedgerId(0xc0b1_e500);
    trap.open_ledger().take_name(copy, 5).unwrap();
    trap.uplink.held.lock().unwrap().enrol_answers = vec![EnrolAnswer::Parked {
        message: "a copy".to_owned(),
    }];
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    trap.runs(120, asks(&trap, agent, &kept, "b")).await;
    assert_eq!(state(&trap), EnrolState::Parked);
    let parked = trap.summary().captures;
    assert!(parked > before, "it goes on taking pictures");
    let delivered = trap.uplink.held.lock().unwrap().captures.len();
    assert_eq!(delivered, 0, "and delivers none");
    let original = trap
        .uplink
        .held
        .lock()
        .unwrap()
        .asked
        .last()
        .unwrap()
        .copied_from
        .clone();
    assert_eq!(original.as_deref(), Some("a"));

    let kept = Kept::read(trap.folder.path()).unwrap().unwrap();
    trap.uplink.held.lock().unwrap().enrol_answers = vec![EnrolAnswer::Anew {}, enrolled(&kept)];
    let agent = trap.agent(Vec::new(), detector(Vec::new()));
    trap.runs(200, asks(&trap, agent, &kept, "b")).await;
    assert_eq!(state(&trap), EnrolState::Enrolled);
    let own = Kept::read(trap.folder.path()).unwrap().unwrap();
    assert_ne!(own.identity().public_key(), kept.identity().public_key());
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(held.key, Some(own.identity().trap_key()));
    assert!(!held.captures.is_empty());
    let of_copy = copy.to_string();
    assert!(held.captures.keys().all(|id| id.starts_with(&of_copy)));
}
