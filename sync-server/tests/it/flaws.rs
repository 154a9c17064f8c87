//! What a trap measured of its pictures: kept, listed, left out on request.

use crate::house::{House, NOON_MS, capture, id, inspection, jpeg};
use serde_json::{Value, json};
use trapline_wire::v1::{RefusalReason, SyncReply};

fn told(number: u32, flaws: &[&str]) -> Value {
    let mut record = capture(number, NOON_MS - 1000 + i64::from(number), &jpeg(1));
    record["cause"] = json!("trigger");
    record["shot"] = json!({ "exposure_us": 8333, "gain": 2.25, "sensor_model": "=imx708" });
    record["quality"] = json!({
        "sharpness": 0.5, "mean_luma": 30.5, "contrast": 9.0, "dark_share": 0.25,
        "bright_share": 0.0, "cast": 0.5, "hue_degrees": 50.0, "flaws": flaws,
    });
    record
}

/// A good picture, two with flaws, and one of a trap that measures nothing yet.
async fn filled() -> (House, String) {
    let house = House::new();
    let old = capture(4, NOON_MS - 1000 + 4, &jpeg(1));
    let batch = json!({
        "captures": [told(1, &[]), told(2, &["dark", "blurred"]), told(3, &["fogged"]), old],
        "inspections": [inspection(1, NOON_MS, &[0.9]), inspection(2, NOON_MS, &[0.9])],
    });
    let reply: SyncReply = house.sync(&batch).await.json();
    assert_eq!((reply.stored, reply.refused.len()), (6, 0));
    let cookie = house.login().await;
    (house, cookie)
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn flawed_pictures_are_seen_and_left_out() {
    let (house, cookie) = filled().await;
    let trap = house.key.trap();
    for (query, expected) in [
        ("", &[1, 2, 3, 4][..]),
        ("&good=true", &[1, 4]),
        ("&good=false", &[2, 3]),
        ("&good=true&has_detections=true", &[1]),
        ("&good=false&has_detections=true", &[2]),
    ] {
        for of_trap in [String::new(), format!("&trap={trap}")] {
            let path = format!("/api/v1/captures?order=oldest{query}{of_trap}");
            let page: Value = house.get(&cookie, &path).await.json();
            let expected: Vec<String> = expected.iter().map(|number| id(*number)).collect();
            assert_eq!(ids(&page), expected, "{path}");
        }
    }
    let page: Value = house
        .get(&cookie, "/api/v1/captures?order=oldest")
        .await
        .json();
    assert_eq!(page["items"][0]["flaws"], json!([]));
    assert_eq!(page["items"][1]["flaws"], json!(["dark", "blurred"]));
    // A word of a trap that is newer than this server.
    assert_eq!(page["items"][2]["flaws"], json!(["other"]));
    assert_eq!(page["items"][3]["cause"], Value::Null);
    let path = format!("/api/v1/captures/{trap}/{}", id(2));
    let detail: Value = house.get(&cookie, &path).await.json();
    assert_eq!(detail["cause"], "trigger");
    assert_eq!(detail["shot"]["exposure_us"], 8333);
    assert_eq!(detail["quality"]["mean_luma"], 30.5);
    let path = format!("/api/v1/traps/{trap}/timeline?from_ms=0&until_ms={NOON_MS}");
    let line: Value = house.get(&cookie, &path).await.json();
    assert_eq!(line["captures"][1]["flaws"], json!(["dark", "blurred"]));
}

#[tokio::test]
async fn tables_say_how_each_picture_was_taken() {
    let (house, cookie) = filled().await;
    let answer = house
        .get(&cookie, "/api/v1/captures.csv?order=oldest")
        .await;
    let mut reader = csv::Reader::from_reader(answer.text().as_bytes());
    let heading = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        let place = heading.iter().position(|cell| cell == name).unwrap();
        rows[row][place].to_owned()
    };
    assert_eq!(cell(0, "flaws"), "good");
    assert_eq!(cell(1, "flaws"), "dark blurred");
    assert_eq!(cell(1, "sensor_model"), "'=imx708");
    assert_eq!(cell(1, "hue_degrees"), "50");
    for name in ["cause", "exposure_us", "flaws", "sharpness", "hue_degrees"] {
        assert_eq!(cell(3, name), "", "{name}");
    }
    let boxes = house.get(&cookie, "/api/v1/detections.csv?good=true").await;
    let lines: Vec<_> = boxes.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].ends_with(",good"), "{}", lines[1]);
}

#[tokio::test]
async fn more_words_about_a_known_capture_are_no_conflict() {
    let (house, cookie) = filled().await;
    let batch = json!({ "captures": [told(4, &["dark"])] });
    let reply: SyncReply = house.sync(&batch).await.json();
    assert_eq!((reply.stored, reply.refused.len()), (1, 0));
    let page: Value = house
        .get(&cookie, "/api/v1/captures?good=false")
        .await
        .json();
    assert_eq!(ids(&page), [id(3), id(2)], "the first telling holds");
    let mut less = capture(2, NOON_MS - 1000 + 2, &jpeg(1));
    less["cause"] = json!("trigger");
    let reply: SyncReply = house
        .sync(&json!({ "captures": [less, told(1, &["dark"])] }))
        .await
        .json();
    let refused: Vec<_> = reply
        .refused
        .iter()
        .map(|one| (&*one.id, one.reason))
        .collect();
    let conflict = RefusalReason::Conflict;
    assert_eq!(refused, [(&*id(2), conflict), (&*id(1), conflict)]);
}

#[tokio::test]
async fn what_no_trap_can_measure_is_refused() {
    let house = House::new();
    let mut odd: Vec<Value> = (1..=5).map(|number| told(number, &[])).collect();
    odd[0]["quality"]["dark_share"] = json!(1.5);
    odd[1]["quality"]["flaws"] = json!(vec!["dark"; 17]);
    odd[2]["shot"]["gain"] = json!(1e12);
    odd[3]["shot"]["sensor_model"] = json!("x".repeat(501));
    let reply: SyncReply = house.sync(&json!({ "captures": odd })).await.json();
    assert_eq!(reply.stored, 1);
    for (refusal, field) in reply
        .refused
        .iter()
        .zip(["dark_share", "flaws", "gain", "model"])
    {
        assert_eq!(refusal.reason, RefusalReason::Invalid);
        assert!(refusal.message.contains(field), "{}", refusal.message);
    }
}
