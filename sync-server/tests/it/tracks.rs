//! Insects over time: told again and again, shown once, counted with their doubt.

use crate::house::{
    Answer, HOUR_MS, House, NOON_MS, capture, id, inspection, jpeg, missed, request,
};
use serde_json::{Value, json};
use trapline_wire::Sha256;
use trapline_wire::read::{Arrivals, Page, TrackDetail, TrackRow};
use trapline_wire::v1::{RefusalReason, SyncReply};

/// The first hour of these days starts here.
const START_MS: i64 = NOON_MS - NOON_MS.rem_euclid(HOUR_MS);

fn track(number: u32, revision: u32, first: u32, last: u32) -> Value {
    json!({
        "id": id(number), "revision": revision,
        "first": id(first), "last": id(last), "best": id(first),
        "best_box": { "x_px": 1.5, "y_px": 2.0, "width_px": 10.0, "height_px": 11.0 },
        "score": 0.9, "class": "insect",
        "model": { "id": "=m1", "sha256": Sha256::of(b"model").to_string(), "threshold": 0.4 },
        "seen": last - first + 1, "card": 1, "origin": "arrived", "is_confirmed": true,
    })
}

/// An inspection in which the tracks of these numbers are seen.
fn followed(number: u32, unix_ms: i64, tracks: &[u32], is_poor: bool) -> Value {
    let mut record = inspection(number, unix_ms, &vec![0.9; tracks.len()]);
    for (found, track) in record["outcome"]["detections"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(tracks)
    {
        found["track"] = json!(track);
    }
    record["outcome"]["look"] = json!({
        "tiles": 4, "tiles_run": 1, "card": "same", "sharpness": 0.5, "mean_luma": 120.0,
        "clipped_share": 0.0, "is_poor": is_poor,
    });
    record
}

/// Four pictures, the second hour missed: insect 1 from the first on, 2 and 3 from the third.
async fn a_day() -> (House, String) {
    let house = House::new();
    let at = |minutes: i64| START_MS + minutes * 60_000;
    let mut unsure = track(3, 1, 3, 3);
    unsure["is_confirmed"] = json!(false);
    let batch = json!({
        "captures": [
            capture(1, at(5), &jpeg(1)), capture(2, at(25), &jpeg(2)),
            capture(3, at(125), &jpeg(3)), capture(4, at(145), &jpeg(4)),
        ],
        "effort": [missed(1, at(70), "no camera")],
        "inspections": [
            followed(1, at(5), &[1], false), followed(2, at(25), &[1], false),
            followed(3, at(125), &[1, 2, 3], false), followed(4, at(145), &[2], true),
        ],
        "tracks": [track(1, 2, 1, 3), track(2, 1, 3, 4), unsure],
    });
    let reply: SyncReply = house.sync(&batch).await.json();
    assert_eq!(
        (reply.stored, reply.refused.len()),
        (12, 0),
        "{:?}",
        reply.refused
    );
    let cookie = house.login().await;
    (house, cookie)
}

async fn trap_id(house: &House, cookie: &str) -> String {
    let traps: Value = house.get(cookie, "/api/v1/traps").await.json();
    let traps = traps["items"].as_array().unwrap();
    let meadow = traps.iter().find(|trap| trap["name"] == "meadow").unwrap();
    meadow["id"].as_str().unwrap().to_owned()
}

async fn tracks(house: &House, cookie: &str, query: &str) -> Vec<TrackRow> {
    let answer: Answer = house.get(cookie, &format!("/api/v1/tracks{query}")).await;
    answer.json::<Page<TrackRow>>().items
}

#[tokio::test]
async fn the_newest_revision_of_a_track_holds() {
    let (house, cookie) = a_day().await;
    let tell = async |track: Value| -> SyncReply {
        house.sync(&json!({ "tracks": [track] })).await.json()
    };
    let mut gone = track(1, 3, 1, 4);
    gone["end"] = json!("gone");
    for told in [track(1, 2, 1, 3), gone.clone(), gone, track(1, 1, 1, 1)] {
        let reply = tell(told).await;
        assert_eq!((reply.stored, reply.refused.len()), (1, 0));
    }
    let rows = tracks(&house, &cookie, "").await;
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].track.revision, rows[0].track.seen), (3, 4));
    assert_eq!(rows[0].last_ms, START_MS + 145 * 60_000);
    let other = tell(track(1, 3, 1, 2)).await;
    assert_eq!(other.refused[0].reason, RefusalReason::Conflict);
    let unknown = tell(track(9, 1, 3, 77)).await;
    assert_eq!(unknown.refused[0].reason, RefusalReason::UnknownCapture);
    assert_eq!(unknown.refused[0].id, id(9));
}

#[tokio::test]
async fn a_track_out_of_range_is_refused_alone() {
    let (house, _) = a_day().await;
    let with = |field: &str, value: Value| {
        let mut bad = track(8, 1, 1, 2);
        bad[field] = value;
        bad
    };
    let bad = json!({ "tracks": [
        with("revision", json!(0)), with("score", json!(1.5)), with("card", json!(0)),
        with("seen", json!(0)), with("best", json!(id(3))), with("could_be", json!(id(8))),
        with("first", json!("00000001-00000001")), with("origin", json!("dreamt")),
        track(8, 1, 1, 2),
    ] });
    let reply: SyncReply = house.sync(&bad).await.json();
    let reasons: Vec<&str> = reply.refused.iter().map(|r| r.message.as_str()).collect();
    assert_eq!(reply.stored, 1, "{reasons:?}");
    assert_eq!(reply.refused.len(), 8, "{reasons:?}");
}

#[tokio::test]
async fn arrivals_are_counted_with_their_doubt() {
    let (house, cookie) = a_day().await;
    let trap = trap_id(&house, &cookie).await;
    let path = format!(
        "/api/v1/traps/{trap}/arrivals?from_ms={START_MS}&until_ms={}&every=hour",
        START_MS + 3 * HOUR_MS
    );
    let arrivals: Arrivals = house.get(&cookie, &path).await.json();
    let counts: Vec<_> = arrivals
        .intervals
        .iter()
        .map(|i| i.arrivals.map(|c| (c.low, c.counted, c.high)))
        .collect();
    // The second hour has no picture; insects 2 and 3 may have come in the first.
    assert_eq!(counts, [Some((1, 1, 3)), None, Some((0, 1, 2))]);
    let looks: Vec<_> = arrivals
        .intervals
        .iter()
        .map(|i| (i.looks, i.failed))
        .collect();
    assert_eq!(looks, [(2, 0), (0, 1), (1, 1)]);
    let total = arrivals.total.unwrap();
    assert_eq!((total.low, total.counted, total.high), (2, 2, 3));
    assert_eq!(arrivals.models, ["=m1"]);
    let day = path.replace("every=hour", "every=day");
    let arrivals: Arrivals = house.get(&cookie, &day).await.json();
    let count = arrivals.intervals[0].arrivals.unwrap();
    assert_eq!((count.low, count.counted, count.high), (2, 2, 3));
    let default = format!("/api/v1/traps/{trap}/arrivals");
    let arrivals: Arrivals = house.get(&cookie, &default).await.json();
    assert_eq!(arrivals.from_ms.rem_euclid(HOUR_MS), 0);
    let long = format!("{default}?from_ms=0");
    house.get(&cookie, &long).await.refused(400, "bad_request");
    let none = format!("{default}?from_ms=5&until_ms=5");
    house.get(&cookie, &none).await.refused(400, "bad_request");
    let unknown = "/api/v1/traps/zzzzzzzz/arrivals";
    house.get(&cookie, unknown).await.refused(404, "not_found");
}

#[tokio::test]
async fn one_insect_is_shown_with_its_pictures() {
    let (house, cookie) = a_day().await;
    let trap = trap_id(&house, &cookie).await;
    let path = format!("/api/v1/tracks/{trap}/{}", id(1));
    let detail: TrackDetail = house.get(&cookie, &path).await.json();
    assert_eq!(detail.trap_name, "meadow");
    let shown: Vec<String> = detail
        .moments
        .iter()
        .map(|m| m.capture.to_string())
        .collect();
    assert_eq!(shown, [id(1), id(2), id(3)]);
    house
        .get(&cookie, &format!("{path}/crop"))
        .await
        .refused(404, "not_found");
    for picture in [jpeg(1), jpeg(3)] {
        house.upload(&picture).await;
    }
    let crop = house.get(&cookie, &format!("{path}/crop")).await;
    assert_eq!(
        (crop.status.as_u16(), crop.header("content-type")),
        (200, "image/jpeg")
    );
    let picture = image::load_from_memory(&crop.body).unwrap();
    assert!(picture.width() <= 64 && picture.height() <= 48);
    let later = format!("{path}/crop?capture={}", id(3));
    let crop = house.get(&cookie, &later).await;
    assert_eq!(crop.status.as_u16(), 200);
    let tag = crop.header("etag").to_owned();
    let headers = [("cookie", cookie.as_str()), ("if-none-match", tag.as_str())];
    let again = house.send(request("GET", &later, &headers, "")).await;
    assert_eq!(again.status.as_u16(), 304);
    let elsewhere = format!("{path}/crop?capture={}", id(4));
    house
        .get(&cookie, &elsewhere)
        .await
        .refused(404, "not_found");
    let unknown = format!("/api/v1/tracks/{trap}/{}", id(99));
    house.get(&cookie, &unknown).await.refused(404, "not_found");
    // A stranger sees nothing of it.
    house
        .get("trapline_session=no", &path)
        .await
        .refused(401, "not_logged_in");
    let capture: Value = house
        .get(&cookie, &format!("/api/v1/captures/{trap}/{}", id(3)))
        .await
        .json();
    assert_eq!(capture["arrivals"], json!([2, 3]));
}

#[tokio::test]
async fn lists_of_tracks_are_filtered_and_come_as_tables() {
    let (house, cookie) = a_day().await;
    let trap = trap_id(&house, &cookie).await;
    let card = "7f3a9c21-1";
    for (query, expected) in [
        (format!("?trap={trap}"), 3),
        (format!("?trap={trap}&card={card}&arrived=true"), 3),
        (format!("?trap={trap}&card=7f3a9c21-2"), 0),
        (format!("?trap={trap}&arrived=false"), 0),
        (format!("?until_ms={}", START_MS + HOUR_MS), 1),
    ] {
        let rows = tracks(&house, &cookie, &query).await;
        assert_eq!(rows.len(), expected, "{query}");
    }
    let page: Page<TrackRow> = house.get(&cookie, "/api/v1/tracks?limit=2").await.json();
    let after = format!("/api/v1/tracks?limit=2&after={}", page.next.unwrap());
    let rest: Page<TrackRow> = house.get(&cookie, &after).await.json();
    assert_eq!(
        (page.items.len(), rest.items.len(), rest.next),
        (2, 1, None)
    );

    let read = async |path: &str| -> Vec<Vec<String>> {
        let answer = house.get(&cookie, path).await;
        assert_eq!(answer.status.as_u16(), 200, "{:?}", answer.body);
        let mut reader = csv::Reader::from_reader(answer.text().as_bytes());
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| row.iter().map(str::to_owned).collect())
            .collect()
    };
    let table = read("/api/v1/tracks.csv").await;
    assert_eq!(table.len(), 3);
    assert_eq!(
        (table[0][2].as_str(), table[0][3].as_str()),
        (id(1).as_str(), card)
    );
    assert_eq!(table[0][23], "'=m1", "a model's name is no formula");
    let table = read(&format!("/api/v1/arrivals.csv?trap={trap}&every=hour")).await;
    let counts: Vec<&str> = table.iter().map(|row| row[5].as_str()).collect();
    assert_eq!(counts, ["1", "", "1"]);
    assert_eq!(table[0][11], "'=m1");
    assert_eq!(read("/api/v1/arrivals.csv").await.len(), 3);
    let detections = read("/api/v1/detections.csv?order=oldest").await;
    assert_eq!(
        (detections[0][16].as_str(), detections[0][17].as_str()),
        (id(1).as_str(), "false")
    );
}
