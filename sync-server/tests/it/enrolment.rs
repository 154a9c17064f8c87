//! Traps that enrol themselves: once for each key pair, however often they ask,
//! and never a copy beside its original.

use crate::house::{Answer, HOUR_MS, House, NOON_MS, request};
use serde_json::{Value, json};
use trapline_server::{Settings, State, Work};
use trapline_wire::v1::{EnrolAnswer, EnrolReply, EnrolRequest, Hardware, SignedEnrolment};
use trapline_wire::{EnrolToken, Identity};

const CARD: &str = "00000000000000aa";
const COPY: &str = "00000000000000bb";

fn asking(identity: &Identity, token: Option<&EnrolToken>) -> EnrolRequest {
    EnrolRequest {
        public_key: identity.public_key(),
        key_sha256: identity.trap_key().fingerprint(),
        token: token.cloned(),
        name: None,
        place: None,
        hardware: on(CARD),
        copied_from: None,
        agent_version: "0.1.0".to_owned(),
        nonce: "n1".to_owned(),
        replaces_card: false,
    }
}

fn on(card: &str) -> Hardware {
    Hardware {
        card: Some(card.to_owned()),
        board: None,
    }
}

fn trap(number: u8) -> Identity {
    Identity::from_seed([number; 32])
}

async fn ask(house: &House, identity: &Identity, request: &EnrolRequest) -> Answer {
    let asking = serde_json::to_string(request).unwrap();
    let signature = identity.sign(&asking);
    send(house, &SignedEnrolment { asking, signature }).await
}

async fn send(house: &House, signed: &SignedEnrolment) -> Answer {
    let body = serde_json::to_string(signed).unwrap();
    house
        .send(request("POST", "/api/v1/enrol", &[], body))
        .await
}

fn said(answer: &Answer) -> EnrolAnswer {
    let reply: EnrolReply = answer.json();
    assert_eq!(reply.nonce, "n1");
    reply.answer
}

fn name(answer: &Answer) -> String {
    let answer = said(answer);
    let EnrolAnswer::Enrolled { name, .. } = answer else {
        panic!("{answer:?}");
    };
    name
}

/// A token as the command line makes it.
fn token(house: &House, uses: u32) -> EnrolToken {
    let mut settings = Settings::new(house.data());
    settings.work = Work::Inline;
    settings.clock = std::sync::Arc::new(|| NOON_MS);
    let state = State::open(settings).unwrap();
    state.make_token(uses, NOON_MS + 24 * HOUR_MS).unwrap()
}

async fn heartbeat(house: &House, identity: &Identity, card: &str, boot: &str) -> Answer {
    let mut headers = vec![("trapline-boot", boot)];
    if !card.is_empty() {
        headers.push(("trapline-card", card));
    }
    let sync = request("POST", "/api/v1/sync", &headers, "{}");
    house.trap_with(&identity.trap_key(), sync).await
}

async fn desk(house: &House, path: &str, body: &Value) -> Answer {
    let cookie = house.login().await;
    let headers = [("cookie", cookie.as_str())];
    house
        .send(request("POST", path, &headers, body.to_string()))
        .await
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_a_use_is_counted_once() {
    let house = House::new();
    let token = token(&house, 2);
    let first = asking(&trap(1), Some(&token));
    let names: Vec<String> = vec![
        name(&ask(&house, &trap(1), &first).await),
        name(&ask(&house, &trap(1), &first).await),
        name(&ask(&house, &trap(2), &asking(&trap(2), Some(&token))).await),
        name(&ask(&house, &trap(1), &first).await),
    ];
    assert_eq!(names, ["trap-01", "trap-01", "trap-02", "trap-01"]);
    assert_eq!(heartbeat(&house, &trap(1), CARD, "b1").await.status, 200);
    ask(&house, &trap(3), &asking(&trap(3), Some(&token)))
        .await
        .refused(403, "token_used_up");
    let house = house.restarted();
    house.pass(48 * HOUR_MS);
    assert_eq!(name(&ask(&house, &trap(1), &first).await), "trap-01");
}

#[tokio::test]
async fn tokens_end_and_nobody_guesses_them() {
    let house = House::new();
    let good = token(&house, 9);
    house.pass(25 * HOUR_MS);
    ask(&house, &trap(1), &asking(&trap(1), Some(&good)))
        .await
        .refused(403, "token_expired");
    let made = desk(
        &house,
        "/api/v1/enrolment/tokens",
        &json!({ "uses": 3, "days": 2, "prefix": "bog" }),
    )
    .await;
    let made: Value = made.json();
    let path = format!(
        "/api/v1/enrolment/tokens/{}/revoke",
        made["id"].as_str().unwrap()
    );
    let made: EnrolToken = made["token"].as_str().unwrap().parse().unwrap();
    let request = asking(&trap(1), Some(&made));
    assert_eq!(name(&ask(&house, &trap(1), &request).await), "bog-01");
    assert_eq!(desk(&house, &path, &json!({})).await.status, 204);
    ask(&house, &trap(2), &asking(&trap(2), Some(&made)))
        .await
        .refused(403, "token_revoked");
    for number in 0..28 {
        let guess = EnrolToken::from_random(&[number; 25]);
        ask(&house, &trap(2), &asking(&trap(2), Some(&guess)))
            .await
            .refused(403, "bad_token");
    }
    let slow = ask(&house, &trap(2), &asking(&trap(2), Some(&made))).await;
    slow.refused(429, "slow_down");
    assert!(slow.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn only_the_trap_itself_asks_for_itself() {
    let house = House::new();
    let asking = serde_json::to_string(&asking(&trap(1), None)).unwrap();
    let signature = trap(2).sign(&asking);
    send(
        &house,
        &SignedEnrolment {
            asking: asking.clone(),
            signature,
        },
    )
    .await
    .refused(403, "bad_signature");
    let signature = trap(1).sign(&asking);
    let altered = asking.replace("0.1.0", "0.1.1");
    send(
        &house,
        &SignedEnrolment {
            asking: altered,
            signature,
        },
    )
    .await
    .refused(403, "bad_signature");
    let cookieless = request("GET", "/api/v1/enrolment", &[], "");
    house.send(cookieless).await.refused(401, "not_logged_in");
}

#[tokio::test]
async fn without_a_token_a_person_accepts_the_code() {
    let house = House::new();
    let mut asked = asking(&trap(1), None);
    asked.name = Some("meadow".to_owned());
    let EnrolAnswer::Pending { code } = said(&ask(&house, &trap(1), &asked).await) else {
        panic!("nobody has accepted it");
    };
    assert_eq!(code, trap(1).public_key().code());
    heartbeat(&house, &trap(1), CARD, "b1")
        .await
        .refused(401, "bad_key");
    let typed = code.to_string().to_lowercase().replace('-', "");
    let path = format!("/api/v1/enrolment/pending/{typed}");
    desk(
        &house,
        &path,
        &json!({ "decision": "accept", "name": "forest" }),
    )
    .await
    .refused(409, "name_taken");
    let accepted = desk(&house, &path, &json!({ "decision": "accept" })).await;
    // `meadow` is taken by a trap of the house.
    let begin: String = code.bare().chars().take(4).collect();
    let expected = format!("meadow {begin}");
    assert_eq!(accepted.json::<Value>()["name"], expected);
    assert_eq!(name(&ask(&house, &trap(1), &asked).await), expected);
    assert_eq!(heartbeat(&house, &trap(1), CARD, "b1").await.status, 200);
    desk(&house, &path, &json!({ "decision": "dismiss" }))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_copied_card_is_parked_until_a_person_decides() {
    let house = House::new();
    let token = token(&house, 5);
    let original = asking(&trap(1), Some(&token));
    ask(&house, &trap(1), &original).await;
    // A copy that did not notice, and one that did.
    heartbeat(&house, &trap(1), COPY, "b2")
        .await
        .refused(403, "parked");
    let copy = EnrolRequest {
        hardware: on(COPY),
        copied_from: Some(CARD.to_owned()),
        ..original.clone()
    };
    let parked = said(&ask(&house, &trap(1), &copy).await);
    assert!(matches!(parked, EnrolAnswer::Parked { .. }), "{parked:?}");
    assert_eq!(heartbeat(&house, &trap(1), CARD, "b1").await.status, 200);
    let id = trap(1).public_key().trap();
    let path = format!("/api/v1/enrolment/parked/{id}");
    let decided = desk(&house, &path, &json!({ "card": COPY, "decision": "anew" })).await;
    assert_eq!(decided.status, 204);
    let anew = said(&ask(&house, &trap(1), &copy).await);
    assert_eq!(anew, EnrolAnswer::Anew {});
    heartbeat(&house, &trap(1), COPY, "b2")
        .await
        .refused(403, "parked");
    // Somebody at the trap says that the other card is gone.
    let same = EnrolRequest {
        replaces_card: true,
        ..copy
    };
    assert_eq!(name(&ask(&house, &trap(1), &same).await), "trap-01");
    assert_eq!(heartbeat(&house, &trap(1), COPY, "b2").await.status, 200);
    heartbeat(&house, &trap(1), CARD, "b1")
        .await
        .refused(403, "parked");
}

#[tokio::test]
async fn a_copy_that_became_a_trap_of_its_own_is_in_nobodys_list() {
    let house = House::new();
    let token = token(&house, 2);
    ask(&house, &trap(1), &asking(&trap(1), Some(&token))).await;
    heartbeat(&house, &trap(1), COPY, "b2")
        .await
        .refused(403, "parked");
    let cookie = house.login().await;
    let cards = async || {
        let all: Value = house.get(&cookie, "/api/v1/enrolment").await.json();
        all["cards"].as_array().unwrap().len()
    };
    assert_eq!(cards().await, 2);
    let own = EnrolRequest {
        hardware: on(COPY),
        ..asking(&trap(2), Some(&token))
    };
    assert_eq!(name(&ask(&house, &trap(2), &own).await), "trap-02");
    assert_eq!(cards().await, 0);
}

#[tokio::test]
async fn a_copy_that_is_enrolled_first_does_not_become_the_original() {
    let house = House::new();
    let token = token(&house, 1);
    let copy = EnrolRequest {
        hardware: on(COPY),
        copied_from: Some(CARD.to_owned()),
        ..asking(&trap(1), Some(&token))
    };
    let parked = said(&ask(&house, &trap(1), &copy).await);
    assert!(matches!(parked, EnrolAnswer::Parked { .. }), "{parked:?}");
    let original = asking(&trap(1), Some(&token));
    assert_eq!(name(&ask(&house, &trap(1), &original).await), "trap-01");
}

#[tokio::test]
async fn two_devices_without_numbers_are_told_by_their_boots() {
    let house = House::new();
    let token = token(&house, 1);
    let mut asked = asking(&trap(1), Some(&token));
    asked.hardware = Hardware::default();
    ask(&house, &trap(1), &asked).await;
    let beat = async |boot: &str| heartbeat(&house, &trap(1), "", boot).await.status.as_u16();
    for boot in ["b1", "b2", "b3"] {
        assert_eq!(beat(boot).await, 200, "a trap may boot");
        house.pass(HOUR_MS);
    }
    assert_eq!(beat("b4").await, 200);
    assert_eq!(beat("b3").await, 200, "a request that was under way");
    house.pass(HOUR_MS);
    assert_eq!(beat("b3").await, 403, "b4 took over an hour ago");
    assert_eq!(beat("b4").await, 403, "nothing tells which is the copy");
    let id = trap(1).public_key().trap();
    let path = format!("/api/v1/enrolment/parked/{id}");
    let decided = desk(&house, &path, &json!({ "card": null, "decision": "same" })).await;
    assert_eq!(decided.status, 204);
    assert_eq!(beat("b4").await, 200);
}
