//! The power fails at every operation of an upload, and the disk loses what was not synced. The promise: a picture whose
//! sender got a receipt is there afterwards, whole. Then the same with software that breaks the promise.
//!
//! | planted | what is done wrong | who sees it |
//! |---|---|---|
//! | receipt before fsync | the bytes of the picture are not synced before the receipt | after a cut the picture has other bytes |
//! | receipt before the folder's fsync | its name is not | after a cut there is no such picture |

use crate::house::{House, jpeg, metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use trapline_server::Settings;
use trapline_server::disk::{Disk, LossyDisk};
use trapline_wire::Sha256;

/// More operations than an upload has.
const OPERATIONS_MAX: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    ReceiptBeforeSync,
    ReceiptBeforeFolderSync,
}

/// A disk that says of one kind of sync that it was done.
struct Forgetful {
    disk: LossyDisk,
    planted: Planted,
}

impl Disk for Forgetful {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.make_folder(folder)
    }

    fn create(&self, file: &Path) -> io::Result<()> {
        self.disk.create(file)
    }

    fn write_at(&self, file: &Path, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_at(file, offset_bytes, bytes)
    }

    fn cut(&self, file: &Path, len_bytes: u64) -> io::Result<()> {
        self.disk.cut(file, len_bytes)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        match self.planted {
            Planted::ReceiptBeforeSync => Ok(()),
            Planted::Nothing | Planted::ReceiptBeforeFolderSync => self.disk.sync(file),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.disk.remove(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let is_shelf = folder
            .parent()
            .is_some_and(|above| above.ends_with("blobs"));
        if is_shelf && self.planted == Planted::ReceiptBeforeFolderSync {
            return Ok(());
        }
        self.disk.sync_folder(folder)
    }
}

/// Uploads a picture in two requests while the power fails at operation `cut`, counted from the start of the upload;
/// gives what is wrong after the power came back, and whether the upload was done before the cut.
async fn broken_by(planted: Planted, cut: usize) -> (Option<String>, bool) {
    let disk = LossyDisk::new();
    let own = disk.clone();
    let with_disk = move |settings: &mut Settings| {
        settings.disk = Arc::new(Forgetful {
            disk: own.clone(),
            planted,
        });
    };
    let house = House::with(with_disk.clone());
    let picture = jpeg(1);
    disk.cut_at(disk.log().len() + cut);
    let has_receipt = upload(&house, &picture).await;
    let is_done = !disk.is_off();
    disk.power_on().unwrap();
    let house = house.restarted_with(with_disk);
    if has_receipt {
        let name = Sha256::of(&picture).to_string();
        let file = house.data().join("blobs").join(&name[..2]).join(&name);
        let problem = match std::fs::read(file) {
            Ok(bytes) if bytes == picture => None,
            Ok(bytes) => Some(format!(
                "{} bytes of {} are there",
                bytes.len(),
                picture.len()
            )),
            Err(error) => Some(error.to_string()),
        };
        return (problem, is_done);
    }
    // Without a receipt the trap sends it again, and gets one.
    let again = upload(&house, &picture).await;
    let problem = (!again).then(|| "no receipt after another try".to_owned());
    (problem, is_done)
}

/// Whether the upload ended with a receipt; any request may fail.
async fn upload(house: &House, picture: &[u8]) -> bool {
    let headers = [
        ("upload-length", &*picture.len().to_string()),
        ("upload-metadata", &*metadata(picture)),
    ];
    let made = house.tus("POST", "/api/v1/uploads", &headers, "").await;
    if made.headers.contains_key("trapline-receipt") {
        return true;
    }
    let Some(location) = made.headers.get("location") else {
        return false;
    };
    let location = location.to_str().unwrap();
    let asked = house.tus("HEAD", location, &[], "").await;
    let have = asked.headers.get("upload-offset");
    let Some(have) = have.and_then(|have| have.to_str().ok()?.parse::<usize>().ok()) else {
        return false;
    };
    let half = have.max(picture.len() / 2);
    let first = house
        .patch(location, have, picture[have..half].to_vec())
        .await;
    if !first.status.is_success() {
        return false;
    }
    let last = house.patch(location, half, picture[half..].to_vec()).await;
    last.headers.contains_key("trapline-receipt")
}

/// The first thing that is wrong after a cut at any operation.
async fn caught(planted: Planted) -> Option<String> {
    for cut in 1..OPERATIONS_MAX {
        let (problem, is_done) = broken_by(planted, cut).await;
        if let Some(problem) = problem {
            return Some(format!("cut at {cut}: {problem}"));
        }
        if is_done {
            assert!(cut > 8, "an upload has more operations than {cut}");
            return None;
        }
    }
    panic!("an upload never ends");
}

#[tokio::test]
async fn a_receipt_survives_a_cut_at_every_operation() {
    assert_eq!(caught(Planted::Nothing).await, None);
}

#[tokio::test]
async fn a_receipt_before_the_sync_is_caught() {
    let problem = caught(Planted::ReceiptBeforeSync).await.unwrap();
    assert!(problem.contains("bytes of"), "{problem}");
}

#[tokio::test]
async fn a_receipt_before_the_sync_of_the_folder_is_caught() {
    let problem = caught(Planted::ReceiptBeforeFolderSync).await.unwrap();
    assert!(problem.contains("No such file"), "{problem}");
}

#[tokio::test]
async fn file_name_and_folder_are_synced_in_this_order_before_the_receipt() {
    let disk = LossyDisk::new();
    let own = disk.clone();
    let house = House::with(move |settings| settings.disk = Arc::new(own.clone()));
    let picture = jpeg(1);
    let before = disk.log().len();
    house.upload(&picture).await;
    let log = disk.log();
    let name = Sha256::of(&picture).to_string();
    let shelf = &name[..2];
    let steps = [
        "sync uploads/".to_owned(),
        format!("rename to {shelf}/{name}"),
        format!("sync folder blobs/{shelf}"),
    ];
    let mut last = before;
    for step in steps {
        let place = log
            .iter()
            .skip(last)
            .position(|line| line.starts_with(&step));
        last += place.unwrap_or_else(|| panic!("no `{step}` after {last} in {log:#?}"));
    }
}
