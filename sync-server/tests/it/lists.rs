//! What researchers read: pages that hold still, filters, one capture, CSV.

use crate::house::{HOUR_MS, House, NOON_MS, capture, id, inspection, jpeg, missed, reading};
use serde_json::{Value, json};

/// Ten captures, one an hour; the even ones are inspected, with `number / 2` insects.
async fn filled() -> (House, String) {
    let house = House::new();
    let time = |number: u32| NOON_MS - 12 * HOUR_MS + i64::from(number) * HOUR_MS;
    let mut captures: Vec<Value> = (1..=10)
        .map(|number| capture(number, time(number), &jpeg(1)))
        .collect();
    captures[3]["reading"] = json!(id(4));
    let inspections: Vec<Value> = (0..=4)
        .map(|half: u32| {
            let scores = vec![0.9; half as usize];
            inspection(half * 2 + 2, time(half * 2 + 2), &scores)
        })
        .collect();
    let readings: Vec<Value> = (1..=10)
        .map(|number| reading(number, time(number), f64::from(number) + 0.25))
        .collect();
    let mut run = missed(2, time(11), "=HYPERLINK(\"x\")");
    run["last_due_ms"] = json!(time(13));
    run["shots"] = json!(3);
    let done = json!({
        "id": id(1), "due_ms": time(1), "last_due_ms": time(1), "shots": 1,
        "outcome": { "kind": "done", "capture": id(1) }, "closed": captures[0]["stamp"],
    });
    let answer = house
        .sync(&json!({
            "captures": captures, "inspections": inspections, "readings": readings,
            "effort": [done, run],
        }))
        .await;
    assert_eq!(answer.json::<Value>()["stored"], 27, "{}", answer.text());
    let cookie = house.login().await;
    (house, cookie)
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_hold_still_while_captures_arrive() {
    let (house, cookie) = filled().await;
    for order in ["newest", "oldest"] {
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/api/v1/captures?order={order}&limit=3{after}");
            let page: Value = house.get(&cookie, &path).await.json();
            seen.extend(ids(&page));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            after = format!("&after={next}");
            // One more arrives that is both older and newer than what was read.
            let number = 1000 + u32::try_from(seen.len()).unwrap();
            let when = if order == "newest" { NOON_MS } else { 1 };
            let late = capture(number, when, &jpeg(9));
            house.sync(&json!({ "captures": [late] })).await;
        }
        let mut expected: Vec<String> = (1..=10).map(id).collect();
        if order == "newest" {
            expected.reverse();
        }
        seen.retain(|id| expected.contains(id));
        assert_eq!(seen, expected, "{order}");
    }
}

#[tokio::test]
async fn captures_are_filtered() {
    let (house, cookie) = filled().await;
    let get = async |query: String| -> Vec<String> {
        let path = format!("/api/v1/captures?order=oldest{query}");
        ids(&house.get(&cookie, &path).await.json())
    };
    let trap = house.key.trap();
    let with: Vec<String> = [4, 6, 8, 10].map(id).to_vec();
    assert_eq!(get("&has_detections=true".to_owned()).await, with);
    assert_eq!(get(format!("&has_detections=true&trap={trap}")).await, with);
    assert_eq!(get("&has_detections=false".to_owned()).await, [id(2)]);
    assert_eq!(
        get(format!("&has_detections=false&trap={trap}")).await,
        [id(2)]
    );
    let from = NOON_MS - 10 * HOUR_MS;
    let until = NOON_MS - 8 * HOUR_MS;
    assert_eq!(
        get(format!("&from_ms={from}&until_ms={until}")).await,
        [id(2), id(3)]
    );
    assert_eq!(
        get(format!("&trap={trap}&from_ms={from}&until_ms={until}")).await,
        [id(2), id(3)]
    );
    let other = house.other_key.trap();
    assert_eq!(get(format!("&trap={other}")).await, Vec::<String>::new());
    for (query, status, word) in [
        ("trap=zzzzzzzz", 404, "not_found"),
        ("trap=x", 400, "bad_request"),
        ("limit=0", 400, "bad_request"),
        ("limit=501", 400, "bad_request"),
        ("after=x", 400, "bad_request"),
        ("from_ms=yesterday", 400, "bad_request"),
        ("order=random", 400, "bad_request"),
    ] {
        let path = format!("/api/v1/captures?{query}");
        house.get(&cookie, &path).await.refused(status, word);
    }
}

#[tokio::test]
async fn one_capture_is_told_whole() {
    let (house, cookie) = filled().await;
    let trap = house.key.trap();
    let path = format!("/api/v1/captures/{trap}/{}", id(4));
    let detail: Value = house.get(&cookie, &path).await.json();
    assert_eq!(detail["insects"], 1);
    assert_eq!(detail["trap_name"], "meadow");
    assert_eq!(detail["previous"], id(3));
    assert_eq!(detail["next"], id(5));
    assert_eq!(detail["reading"]["temperature_c"], 4.25);
    assert_eq!(
        detail["inspections"][0]["outcome"]["detections"][0]["class"],
        "insect"
    );
    assert_eq!(detail["picture_state"], "on_trap");
    assert_eq!(detail["stored_ms"], Value::Null);
    let first = format!("/api/v1/captures/{trap}/{}", id(1));
    assert_eq!(
        house.get(&cookie, &first).await.json::<Value>()["previous"],
        Value::Null
    );
}

#[tokio::test]
async fn a_trap_is_summed_up_since_midnight() {
    let (house, cookie) = filled().await;
    let trap = house.key.trap();
    let since = NOON_MS - 8 * HOUR_MS;
    let path = format!("/api/v1/traps/{trap}?since_ms={since}");
    let summary: Value = house.get(&cookie, &path).await.json();
    assert_eq!(summary["captures"], 10);
    assert_eq!(summary["captures_today"], 7);
    assert_eq!(summary["insects_latest"], 4);
    assert_eq!(summary["insects_today"], 3);
    assert_eq!(summary["missed_today"], 3);
    assert_eq!(summary["last_capture"], id(10));
    let late = format!("/api/v1/traps/{trap}?since_ms={NOON_MS}");
    let summary: Value = house.get(&cookie, &late).await.json();
    assert_eq!(summary["missed_today"], 2);
    assert_eq!(summary["insects_today"], Value::Null);

    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first: Value = house.get(&cookie, "/api/v1/traps?limit=1").await.json();
    assert_eq!(names(&first), ["forest"]);
    let path = format!(
        "/api/v1/traps?limit=1&after={}",
        first["next"].as_str().unwrap()
    );
    let second: Value = house.get(&cookie, &path).await.json();
    assert_eq!(
        (names(&second), &second["next"]),
        (vec!["meadow".to_owned()], &Value::Null)
    );
}

#[tokio::test]
async fn a_time_line_has_the_window_and_nothing_else() {
    let (house, cookie) = filled().await;
    let trap = house.key.trap();
    let from = NOON_MS - 9 * HOUR_MS;
    let until = NOON_MS + HOUR_MS;
    let path = format!("/api/v1/traps/{trap}/timeline?from_ms={from}&until_ms={until}");
    let line: Value = house.get(&cookie, &path).await.json();
    assert_eq!(line["captures"].as_array().unwrap().len(), 8);
    assert_eq!(line["readings"].as_array().unwrap().len(), 8);
    assert_eq!(line["missed"].as_array().unwrap().len(), 1);
    assert_eq!(line["truncated"], false);
    assert_eq!(line["captures"][0]["insects"], Value::Null);
    assert_eq!(line["captures"][1]["insects"], 1);
    let turned = format!("/api/v1/traps/{trap}/timeline?from_ms={until}&until_ms={from}");
    house
        .get(&cookie, &turned)
        .await
        .refused(400, "bad_request");
}

#[tokio::test]
async fn csv_has_all_rows_and_no_formulas() {
    let (house, cookie) = filled().await;
    let read = async |path: &str| -> Vec<csv::StringRecord> {
        let answer = house.get(&cookie, path).await;
        assert!(answer.header("content-type").starts_with("text/csv"));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(answer.text().as_bytes());
        reader.records().map(Result::unwrap).collect()
    };
    let captures = read("/api/v1/captures.csv?order=oldest").await;
    assert_eq!(captures.len(), 11);
    assert_eq!(&captures[0][2], "capture_id");
    assert_eq!(
        (&captures[1][2], &captures[1][3]),
        (&*id(1), "2026-06-20T13:00:00Z")
    );
    let readings = read("/api/v1/readings.csv").await;
    assert_eq!(
        (readings.len(), &readings[10][6], &readings[10][7]),
        (11, "10.25", "")
    );
    let effort = read("/api/v1/effort.csv").await;
    assert_eq!(effort.len(), 3);
    assert_eq!(&effort[2][11], "'=HYPERLINK(\"x\")");
    let detections = read("/api/v1/detections.csv?has_detections=true&order=oldest").await;
    assert_eq!(detections.len(), 1 + 1 + 2 + 3 + 4);
    assert_eq!((&detections[1][9], &detections[1][10]), ("insect", "0.9"));
    house
        .get(&cookie, "/api/v1/effort.csv?trap=zzzzzzzz")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_long_list_is_downloaded_whole() {
    let house = House::new();
    for batch in 0..6_u32 {
        let rows: Vec<Value> = (0..200)
            .map(|number| reading(batch * 200 + number + 1, NOON_MS, 20.0))
            .collect();
        house.sync(&json!({ "readings": rows })).await;
    }
    let cookie = house.login().await;
    let answer = house.get(&cookie, "/api/v1/readings.csv").await;
    assert_eq!(answer.text().lines().count(), 1201);
}
