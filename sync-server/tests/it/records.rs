//! Records come in: once, twice, changed, impossible, too many.

use crate::house::{
    HOUR_MS, House, NOON_MS, capture, id, inspection, jpeg, missed, reading, request, stamp,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write as _;
use trapline_wire::Sha256;
use trapline_wire::v1::{RefusalReason, SyncReply};

fn batch() -> Value {
    json!({
        "heartbeat": {
            "stamp": stamp(NOON_MS - 5000), "agent_version": "0.1.0", "model": "m1", "captures": 2,
            "missed": 1, "records_waiting": 5, "pictures_waiting": 2,
            "pictures_waiting_bytes": 1000, "disk_free_bytes": 5_000_000, "next_due_ms": null,
            "battery_v": 3.7, "faults": [],
        },
        "effort": [missed(1, NOON_MS - 100, "no camera")],
        "readings": [reading(1, NOON_MS - 100, 21.37)],
        "captures": [capture(1, NOON_MS - 100, &jpeg(1)), capture(2, NOON_MS - 50, &jpeg(2))],
        "inspections": [inspection(1, NOON_MS - 40, &[0.912_345_6, 0.4, 0.1])],
    })
}

#[tokio::test]
async fn the_same_batch_twice_has_the_same_effect_and_answer() {
    let house = House::new();
    let first: SyncReply = house.sync(&batch()).await.json();
    assert_eq!((first.stored, first.refused.len()), (5, 0));
    assert_eq!(first.server_time_ms, NOON_MS);
    let again: SyncReply = house.sync(&batch()).await.json();
    assert_eq!(again, first);

    let cookie = house.login().await;
    let traps: Value = house.get(&cookie, "/api/v1/traps").await.json();
    let trap = traps["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|trap| trap["name"] == "meadow")
        .unwrap();
    assert_eq!(trap["captures"], 2);
    assert_eq!(trap["insects_latest"], 2);
    assert_eq!(trap["missed_today"], 1);
    assert_eq!(trap["clock_behind_ms"], 5000);
    assert_eq!(trap["last_contact_ms"], NOON_MS);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_by_the_hash_of_the_batch() {
    let house = House::new();
    let ask = format!(
        "/api/v1/sync/{}",
        Sha256::of(batch().to_string().as_bytes())
    );
    house
        .trap("GET", &ask, &[], "")
        .await
        .refused(404, "not_found");
    let first: SyncReply = house.sync(&batch()).await.json();
    house.pass(HOUR_MS);
    let again: SyncReply = house.trap("GET", &ask, &[], "").await.json();
    assert_eq!(again.server_time_ms, first.server_time_ms + HOUR_MS);
    assert_eq!((again.stored, again.refused), (first.stored, first.refused));
    let of_another = request("GET", &ask, &[], "");
    house
        .trap_with(&house.other_key, of_another)
        .await
        .refused(404, "not_found");
    for number in 10..20 {
        let later = json!({ "readings": [reading(number, NOON_MS, 20.0)] });
        house.sync(&later).await;
    }
    house
        .trap("GET", &ask, &[], "")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_batch_may_come_as_gzip_and_not_as_a_bomb() {
    let house = House::new();
    let send = async |coding: &str, body: Vec<u8>| {
        house
            .trap(
                "POST",
                "/api/v1/sync",
                &[("content-encoding", coding)],
                body,
            )
            .await
    };
    let packed = gzip(batch().to_string().as_bytes());
    let reply: SyncReply = send("gzip", packed).await.json();
    assert_eq!((reply.stored, reply.refused.len()), (5, 0));
    let ask = format!(
        "/api/v1/sync/{}",
        Sha256::of(batch().to_string().as_bytes())
    );
    let known = house.trap("GET", &ask, &[], "").await;
    assert_eq!(known.status, 200, "named by what it unfolds to");
    send("gzip", b"no gzip at all".to_vec())
        .await
        .refused(400, "bad_request");
    send("br", Vec::new()).await.refused(415, "bad_coding");
    let mut bomb = b"{\"readings\": []".to_vec();
    bomb.resize(50 * 1024 * 1024, b' ');
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    send("gzip", bomb).await.refused(413, "too_large");
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut coder = GzEncoder::new(Vec::new(), Compression::default());
    coder.write_all(plain).unwrap();
    coder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_names_the_pictures_that_came_in_part() {
    let house = House::new();
    let reply: SyncReply = house.sync(&batch()).await.json();
    assert_eq!(reply.unfinished, Some(Vec::new()));
    let picture = jpeg(1);
    let begun = house.create(&picture).await;
    let reply: SyncReply = house.sync(&batch()).await.json();
    let unfinished = Some(vec![Sha256::of(&picture)]);
    assert_eq!(reply.unfinished, unfinished, "{begun}");
    house.upload(&picture).await;
    let reply: SyncReply = house.sync(&batch()).await.json();
    assert_eq!(reply.unfinished.map(|left| left.len()), Some(0));
}

#[tokio::test]
async fn another_content_under_a_known_name_is_a_conflict() {
    let house = House::new();
    house.sync(&batch()).await;
    let changed = json!({
        "captures": [capture(1, NOON_MS - 99, &jpeg(1)), capture(3, NOON_MS, &jpeg(3))],
        "readings": [reading(1, NOON_MS - 100, 21.38)],
        "inspections": [inspection(1, NOON_MS - 40, &[0.5])],
        "effort": [missed(1, NOON_MS - 100, "another reason")],
    });
    let reply: SyncReply = house.sync(&changed).await.json();
    assert_eq!(reply.stored, 1);
    assert_eq!(reply.refused.len(), 4);
    assert!(
        reply
            .refused
            .iter()
            .all(|refusal| refusal.reason == RefusalReason::Conflict)
    );
    // Another trap may use the same names.
    let own = request("POST", "/api/v1/sync", &[], changed.to_string());
    let reply: SyncReply = house.trap_with(&house.other_key, own).await.json();
    assert_eq!((reply.stored, reply.refused.len()), (5, 0));
}

#[tokio::test]
async fn one_bad_record_does_not_hold_back_the_others() {
    let house = House::new();
    let mut far = capture(4, NOON_MS, &jpeg(4));
    far["stamp"]["unix_ms"] = json!(-1);
    let mut unknown_kind = capture(5, NOON_MS, &jpeg(5));
    unknown_kind["source"] = json!({ "kind": "dreamt" });
    let mut too_sure = inspection(6, NOON_MS, &[1.5]);
    let mut nameless = capture(7, NOON_MS, &jpeg(7));
    nameless["id"] = json!("7f3a9c21-7");
    let many: Vec<f64> = vec![0.5; 5001];
    let mut backwards = missed(8, NOON_MS, "x");
    backwards["last_due_ms"] = json!(NOON_MS - 1);
    let wordy = missed(9, NOON_MS, &"x".repeat(501));
    let mut not_a_number = inspection(6, NOON_MS, &[0.5]);
    not_a_number["outcome"]["detections"][0]["x_px"] = Value::Null;
    not_a_number["model"]["id"] = json!("m2");
    too_sure["model"]["id"] = json!("m3");
    let reply: SyncReply = house
        .sync(&json!({
            "captures": [far, unknown_kind, capture(6, NOON_MS, &jpeg(6)), nameless],
            "inspections": [
                too_sure, inspection(99, NOON_MS, &[]), inspection(6, NOON_MS, &many),
                not_a_number, inspection(4, NOON_MS, &[]),
            ],
            "effort": [backwards, wordy],
            "something_new": [1, 2, 3],
        }))
        .await
        .json();
    assert_eq!(reply.stored, 1);
    let found: Vec<(String, RefusalReason)> = reply
        .refused
        .into_iter()
        .map(|refusal| (refusal.id, refusal.reason))
        .collect();
    let (invalid, unknown) = (RefusalReason::Invalid, RefusalReason::UnknownCapture);
    assert_eq!(
        found,
        [
            (id(8), invalid),
            (id(9), invalid),
            (id(4), invalid),
            (id(5), invalid),
            ("7f3a9c21-7".to_owned(), invalid),
            (id(6), invalid),
            (id(99), unknown),
            (id(6), invalid),
            (id(6), invalid),
            (id(4), unknown),
        ]
    );
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused_with_the_place() {
    let house = House::new();
    let send = async |body: String| house.trap("POST", "/api/v1/sync", &[], body).await;
    let html = send("<!doctype html><title>Login to Wi-Fi</title>".to_owned()).await;
    html.refused(400, "bad_request");
    assert!(html.text().contains("line 1 column 1"), "{}", html.text());
    send(String::new()).await.refused(400, "bad_request");
    send("[1,2]".to_owned()).await.refused(400, "bad_request");
    send("{\"captures\": [{]}".to_owned())
        .await
        .refused(400, "bad_request");
    let heartbeat = send(json!({ "heartbeat": { "stamp": 7 } }).to_string()).await;
    heartbeat.refused(400, "bad_request");
    assert!(heartbeat.text().contains("`stamp`"), "{}", heartbeat.text());

    let blanks = format!("{{{}}}", " ".repeat(2 * 1024 * 1024));
    send(blanks).await.refused(413, "too_large");
    let records: Vec<Value> = (1..=201).map(|n| reading(n, NOON_MS, 1.0)).collect();
    send(json!({ "readings": records }).to_string())
        .await
        .refused(413, "too_large");
}

#[tokio::test]
async fn receipts_come_with_the_captures_of_stored_pictures() {
    let house = House::new();
    let receipt = house.upload(&jpeg(1)).await;
    let reply: SyncReply = house.sync(&batch()).await.json();
    assert_eq!(reply.receipts.len(), 1);
    assert_eq!(serde_json::to_string(&reply.receipts[0]).unwrap(), receipt);
}

#[tokio::test]
async fn a_heartbeat_that_says_too_much_is_cut_and_counts() {
    let house = House::new();
    let mut long = batch();
    let fault = json!({ "part": "camera", "message": "ä".repeat(400), "since_ms": 1 });
    long["heartbeat"]["faults"] = json!(vec![fault; 60]);
    assert_eq!(house.sync(&long).await.status, 200);
    let cookie = house.login().await;
    let traps: Value = house.get(&cookie, "/api/v1/traps").await.json();
    let faults = traps["items"][1]["faults"].as_array().unwrap().clone();
    assert_eq!(faults.len(), 50);
    assert_eq!(faults[0]["message"].as_str().unwrap().len(), 500);
}

#[tokio::test]
async fn the_program_counts_what_came_in() {
    let house = House::new();
    house.sync(&batch()).await;
    house.upload(&jpeg(1)).await;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trapline-server"))
        .args(["status", "--json", "--data"])
        .arg(house.data())
        .output()
        .unwrap();
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        counts,
        json!({
            "traps": 2, "captures": 2, "pictures": 1, "inspected": 1, "detections": 2, "missed": 1,
        })
    );
}
