//! What a power cut may leave behind, and how the next request repairs it; and
//! databases from other versions.

use crate::house::{House, jpeg};
use rusqlite::Connection;
use std::fs;
use trapline_server::{Settings, State};
use trapline_wire::Sha256;

#[tokio::test]
async fn a_cut_between_any_two_steps_of_finishing_is_repaired() {
    for announced in [true, false] {
        for step in ["written", "named", "lost"] {
            check(announced, step).await;
        }
    }
}

/// Leaves the folder as a cut after `step` would, starts again, and expects the receipt.
async fn check(announced: bool, step: &str) {
    let house = House::new();
    let picture = jpeg(1);
    let length = picture.len().to_string();
    let location = if announced {
        house.create(&picture).await
    } else {
        let headers = [("upload-length", &*length)];
        let made = house.tus("POST", "/api/v1/uploads", &headers, "").await;
        made.header("location").to_owned()
    };
    let upload_id = location.rsplit('/').next().unwrap();
    let part = house.data().join("uploads").join(upload_id);
    let sha256 = Sha256::of(&picture);
    let name = sha256.to_string();
    let shelf = house.data().join("blobs").join(&name[..2]);
    match step {
        "written" => fs::write(&part, &picture).unwrap(),
        "named" => {
            fs::create_dir_all(&shelf).unwrap();
            fs::write(shelf.join(&name), &picture).unwrap();
            fs::remove_file(&part).unwrap();
            // The row learns the hash before the file gets its name.
            Connection::open(house.data().join("trapline.db"))
                .unwrap()
                .execute("UPDATE uploads SET sha256 = ?1", [sha256.as_bytes()])
                .unwrap();
        }
        _ => fs::remove_file(&part).unwrap(),
    }

    let house = house.restarted();
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.status, 200, "{step}");
    if step == "lost" {
        assert_eq!(asked.header("upload-offset"), "0");
        let last = house.patch(&location, 0, picture.clone()).await;
        assert!(last.headers.contains_key("trapline-receipt"));
    } else {
        assert!(asked.header("trapline-receipt").contains(&name), "{step}");
    }
    assert_eq!(fs::read(shelf.join(&name)).unwrap(), picture);
    assert!(!part.exists());
}

#[tokio::test]
async fn a_damaged_blob_never_gets_a_receipt_and_is_healed() {
    let house = House::new();
    let picture = jpeg(1);
    let location = house.create(&picture).await;
    let name = Sha256::of(&picture).to_string();
    let shelf = house.data().join("blobs").join(&name[..2]);
    let mut damaged = picture.clone();
    damaged[30] ^= 1;
    fs::create_dir_all(&shelf).unwrap();
    fs::write(shelf.join(&name), &damaged).unwrap();
    let upload_id = location.rsplit('/').next().unwrap();
    fs::remove_file(house.data().join("uploads").join(upload_id)).unwrap();
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.status.as_u16(), 460);
    house.upload(&picture).await;
    assert_eq!(fs::read(shelf.join(&name)).unwrap(), picture);
}

#[tokio::test]
async fn files_that_belong_to_nothing_are_cleared_away_and_open_uploads_are_not() {
    let house = House::new();
    let location = house.create(b"0123456789").await;
    house.patch(&location, 0, "0123").await;
    fs::write(house.data().join("uploads/deadbeef"), "left").unwrap();
    let upload_id = location.rsplit('/').next().unwrap().to_owned();
    fs::write(
        house.data().join(format!("uploads/{upload_id}.chunk")),
        "left",
    )
    .unwrap();
    let house = house.restarted();
    let left: Vec<_> = fs::read_dir(house.data().join("uploads"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [upload_id]);
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.header("upload-offset"), "4");
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trapline.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE later (x INTEGER) STRICT; PRAGMA user_version = 9999;")
        .unwrap();
    let error = State::open(Settings::new(folder.path().to_owned()))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("newer trapline-server"), "{error}");
    let tables: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_fresh_folder_gets_the_newest_shape_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not/there/yet");
    for _ in 0..2 {
        State::open(Settings::new(data.clone())).map(drop).unwrap();
        let shape: u32 = Connection::open(data.join("trapline.db"))
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(shape, 7);
    }
}
