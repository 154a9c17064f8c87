//! Updates of whole traps: stored by content, offered until the trap is done with
//! them, and handed out in pieces.

use crate::house::House;
use serde_json::{Value, json};
use trapline_server::{Settings, State};
use trapline_wire::v1::{SyncReply, UpdateOffer};

fn heartbeat(update: Option<&Value>) -> Value {
    let mut heartbeat = json!({
        "stamp": {"unix_ms": 1_782_000_000_000_i64, "quality": "synced", "boot_id": "b",
                  "uptime_ms": 1},
        "agent_version": "0.1.0", "model": "insect-2", "captures": 0, "missed": 0,
        "records_waiting": 0, "pictures_waiting": 0, "pictures_waiting_bytes": 0,
        "disk_free_bytes": null, "next_due_ms": null, "battery_v": null, "faults": []
    });
    if let Some(update) = update {
        heartbeat["update"] = update.clone();
    }
    json!({ "heartbeat": heartbeat })
}

async fn offered(house: &House, batch: &Value) -> Option<UpdateOffer> {
    house.sync(batch).await.json::<SyncReply>().update
}

#[tokio::test]
async fn an_update_is_offered_to_one_trap_until_that_is_done_with_it() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("any-name.raucb");
    let bundle: Vec<u8> = (0..40_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&file, &bundle).unwrap();
    let state = State::open(Settings::new(house.data())).unwrap();
    let sha256 = state.add_update(&file, "0.2.0").unwrap();
    assert_eq!(
        state.add_update(&file, "0.2.0").unwrap(),
        sha256,
        "again is no harm"
    );
    assert!(state.add_update(&file, "../evil").is_err());
    assert_eq!(offered(&house, &heartbeat(None)).await, None);
    state.offer_update("0.2.0", &["meadow".to_owned()]).unwrap();
    let offer = offered(&house, &heartbeat(None)).await.unwrap();
    assert_eq!((offer.version.as_str(), offer.sha256), ("0.2.0", sha256));

    let path = format!("/api/v1/updates/{sha256}");
    let piece = house
        .trap("GET", &path, &[("range", "bytes=1000-1999")], "")
        .await;
    assert_eq!(piece.status.as_u16(), 206);
    assert_eq!(&piece.body[..], &bundle[1000..2000]);
    let other = path.replace("updates", "models");
    let none = house.trap("GET", &other, &[], "").await;
    assert_eq!(none.status.as_u16(), 404, "a bundle is no model");

    let said = |state: Value| json!({ "version": "0.2.0", "sha256": sha256, "state": state, "since_ms": 1 });
    let installed = said(json!({"kind": "installed"}));
    assert!(
        offered(&house, &heartbeat(Some(&installed)))
            .await
            .is_some()
    );
    let returned = said(json!({"kind": "returned", "reason": "no capture within 600 s"}));
    assert_eq!(offered(&house, &heartbeat(Some(&returned))).await, None);
    assert_eq!(offered(&house, &json!({})).await, None);
    let cookie = house.login().await;
    let traps: Value = house.get(&cookie, "/api/v1/traps").await.json();
    let meadow = &traps["items"][1];
    assert_eq!(meadow["update_offer"]["version"], "0.2.0");
    assert_eq!(
        meadow["update"]["state"]["reason"],
        "no capture within 600 s"
    );
}
