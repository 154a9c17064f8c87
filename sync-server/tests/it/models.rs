//! Models for traps: added whole or not at all, offered until the trap has
//! made up its mind, and fetched in pieces.

use crate::house::House;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use trapline_server::{Settings, State};
use trapline_wire::Sha256;
use trapline_wire::v1::{ModelOffer, SyncReply};

/// The built-in model's folder in the source tree.
fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/detect/models")
}

/// The shipped model under another id, in a folder of its own.
fn copy(folder: &Path, id: &str, change: impl Fn(String) -> String) -> PathBuf {
    let shipped = models();
    let text = std::fs::read_to_string(shipped.join("insect-2.toml")).unwrap();
    let text = text.replacen("id = \"insect-2\"", &format!("id = \"{id}\""), 1);
    let manifest = folder.join(format!("{id}.toml"));
    std::fs::write(&manifest, change(text)).unwrap();
    std::fs::copy(shipped.join("insect-2.onnx"), folder.join("insect-2.onnx")).unwrap();
    manifest
}

fn state_of(house: &House) -> State {
    State::open(Settings::new(house.data())).unwrap()
}

fn heartbeat(answer: Option<&Value>) -> Value {
    let mut heartbeat = json!({
        "stamp": {"unix_ms": 1_782_000_000_000_i64, "quality": "synced", "boot_id": "b",
                  "uptime_ms": 1},
        "agent_version": "0.1.0", "model": "insect-2", "captures": 0, "missed": 0,
        "records_waiting": 0, "pictures_waiting": 0, "pictures_waiting_bytes": 0,
        "disk_free_bytes": null, "next_due_ms": null, "battery_v": null, "faults": []
    });
    if let Some(answer) = answer {
        heartbeat["model_offer"] = answer.clone();
    }
    json!({ "heartbeat": heartbeat })
}

fn answer(offer: &ModelOffer, state: &Value) -> Value {
    json!({ "id": offer.id, "manifest_sha256": offer.manifest_sha256, "state": state,
            "since_ms": 1_782_000_000_000_i64 })
}

async fn offered(house: &House, batch: &Value) -> Option<ModelOffer> {
    house.sync(batch).await.json::<SyncReply>().model
}

#[tokio::test]
async fn an_offer_stands_until_the_trap_has_made_up_its_mind() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let manifest = copy(folder.path(), "insect-2", |text| text);
    assert_eq!(offered(&house, &heartbeat(None)).await, None);
    let state = state_of(&house);
    assert_eq!(state.add_model(&manifest).unwrap(), "insect-2");
    assert_eq!(
        state.add_model(&manifest).unwrap(),
        "insect-2",
        "adding it again is no harm"
    );
    state
        .offer_model("insect-2", &["meadow".to_owned()])
        .unwrap();

    let offer = offered(&house, &heartbeat(None)).await.unwrap();
    assert_eq!(offer.id, "insect-2");
    assert_eq!(
        offer.manifest_sha256,
        Sha256::of(&std::fs::read(&manifest).unwrap())
    );
    assert_eq!(
        offered(&house, &json!({})).await.as_ref(),
        Some(&offer),
        "in every reply"
    );
    let other = json!({ "id": "x", "manifest_sha256": Sha256::of(b"x"), "since_ms": 1,
                        "state": {"kind": "in_use"} });
    assert!(offered(&house, &heartbeat(Some(&other))).await.is_some());
    for state in [
        json!({"kind": "fetching", "done_bytes": 5, "size_bytes": 10}),
        json!({"kind": "trying"}),
        json!({"kind": "probation", "pictures_left": 3}),
    ] {
        let said = heartbeat(Some(&answer(&offer, &state)));
        assert!(offered(&house, &said).await.is_some(), "{state}");
    }
    let refused = json!({"kind": "refused", "reason": "it is slower"});
    let said = heartbeat(Some(&answer(&offer, &refused)));
    assert_eq!(offered(&house, &said).await, None);
    assert_eq!(
        offered(&house, &json!({})).await,
        None,
        "nor in a reply to no heartbeat"
    );

    let cookie = house.login().await;
    let traps: Value = house.get(&cookie, "/api/v1/traps").await.json();
    let meadow = &traps["items"][1];
    assert_eq!(meadow["model"], "insect-2");
    assert_eq!(meadow["offer"]["id"], "insect-2");
    assert_eq!(meadow["offer"]["state"]["reason"], "it is slower");
    assert_eq!(
        traps["items"][0]["offer"],
        Value::Null,
        "the forest was not meant"
    );
}

#[tokio::test]
async fn files_come_in_pieces_by_their_content() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let manifest = copy(folder.path(), "insect-2", |text| text);
    state_of(&house).add_model(&manifest).unwrap();
    let network = std::fs::read(folder.path().join("insect-2.onnx")).unwrap();
    let path = format!("/api/v1/models/{}", Sha256::of(&network));
    let whole = house.trap("GET", &path, &[], "").await;
    assert_eq!(
        (whole.status.as_u16(), &whole.body[..]),
        (200, &network[..])
    );
    let piece = house
        .trap("GET", &path, &[("range", "bytes=1000-1999")], "")
        .await;
    assert_eq!(piece.status, 206);
    assert_eq!(&piece.body[..], &network[1000..2000]);
    let size = network.len();
    assert_eq!(
        piece.header("content-range"),
        format!("bytes 1000-1999/{size}")
    );
    let rest = format!("bytes={}-{}", size - 10, size + 1_000_000);
    let rest = house.trap("GET", &path, &[("range", &rest)], "").await;
    assert_eq!(&rest.body[..], &network[size - 10..]);
    let beyond = format!("bytes={size}-");
    house
        .trap("GET", &path, &[("range", &beyond)], "")
        .await
        .refused(416, "beyond_the_end");
    house
        .trap("GET", &path, &[("range", "bytes=-5")], "")
        .await
        .refused(400, "bad_request");
    let manifest_path = format!(
        "/api/v1/models/{}",
        Sha256::of(&std::fs::read(&manifest).unwrap())
    );
    assert_eq!(house.trap("GET", &manifest_path, &[], "").await.status, 200);
    let unknown = format!("/api/v1/models/{}", Sha256::of(b"unknown"));
    house
        .trap("GET", &unknown, &[], "")
        .await
        .refused(404, "not_found");
    house
        .trap("GET", "/api/v1/models/../x", &[], "")
        .await
        .refused(404, "not_found");
    let cookie = house.login().await;
    assert_eq!(
        house.get(&cookie, &path).await.status,
        401,
        "only traps fetch models"
    );
}

#[tokio::test]
async fn a_model_that_no_trap_could_load_is_not_added() {
    let house = House::new();
    let state = state_of(&house);
    let folder = tempfile::tempdir().unwrap();
    let why = |manifest: &Path| state.add_model(manifest).unwrap_err().to_string();
    let shape = copy(folder.path(), "bad-shape", |text| {
        text.replace("tile_px = 512", "tile_px = 256")
    });
    assert!(why(&shape).contains("1x3x256x256"), "{}", why(&shape));
    let unknown_key = copy(folder.path(), "bad-key", |text| {
        format!("magic = 1\n{text}")
    });
    assert!(why(&unknown_key).contains("magic"), "{}", why(&unknown_key));
    let name = copy(folder.path(), "bad-name", |text| {
        text.replace("file = \"insect-2.onnx\"", "file = \"../insect-2.onnx\"")
    });
    assert!(why(&name).contains("`file`"), "{}", why(&name));
    let good = copy(folder.path(), "good", |text| text);
    let mut network = std::fs::read(folder.path().join("insect-2.onnx")).unwrap();
    network[500] ^= 1;
    std::fs::write(folder.path().join("insect-2.onnx"), &network).unwrap();
    assert!(why(&good).contains("SHA-256"), "{}", why(&good));
    assert!(why(&folder.path().join("nowhere.toml")).contains("nowhere.toml"));
    let good = copy(folder.path(), "good", |text| text);
    state.add_model(&good).unwrap();
    let twin = copy(folder.path(), "good", |text| {
        text.replace("score = 0.43", "score = 0.5")
    });
    assert!(why(&twin).contains("id of its own"), "{}", why(&twin));
    assert!(state.offer_model("good", &["nobody".to_owned()]).is_err());
}
