//! Pictures by tus: whole, in parts, cut, doubled, forged, forgotten.

use crate::house::{HOUR_MS, House, NOON_MS, OCTETS, jpeg, metadata, request};
use axum::body::{Body, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use trapline_wire::Sha256;
use trapline_wire::v1::{PictureStatus, Receipt};

/// A body that breaks off after `bytes`.
fn cut_body(bytes: &[u8]) -> Body {
    let parts = [
        Ok(Bytes::copy_from_slice(bytes)),
        Err(std::io::Error::other("the link broke")),
    ];
    Body::from_stream(stream::iter(parts))
}

#[tokio::test]
async fn a_picture_in_two_parts_gets_one_receipt() {
    let house = House::new();
    let picture = jpeg(1);
    let location = house.create(&picture).await;

    let first = house.patch(&location, 0, picture[..100].to_vec()).await;
    assert_eq!(
        (first.status.as_u16(), first.header("upload-offset")),
        (204, "100")
    );
    assert!(!first.headers.contains_key("trapline-receipt"));
    assert_eq!(
        first.header("upload-expires"),
        "Sun, 28 Jun 2026 00:00:00 GMT"
    );

    let last = house.patch(&location, 100, picture[100..].to_vec()).await;
    assert_eq!(last.status, 204);
    let receipt: Receipt = serde_json::from_str(last.header("trapline-receipt")).unwrap();
    assert_eq!(
        receipt,
        Receipt {
            sha256: Sha256::of(&picture),
            size_bytes: picture.len() as u64,
            stored_ms: NOON_MS,
        }
    );

    house.pass(HOUR_MS);
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.status, 200);
    assert_eq!(
        asked.header("trapline-receipt"),
        last.header("trapline-receipt")
    );
    assert_eq!(asked.header("upload-length"), picture.len().to_string());
    // The same last request again: same effect, same answer.
    let again = house.patch(&location, picture.len(), "").await;
    assert_eq!(again.status, 204);
    assert_eq!(
        again.header("trapline-receipt"),
        last.header("trapline-receipt")
    );

    let sha256 = Sha256::of(&picture).to_string();
    let blob = house.data().join("blobs").join(&sha256[..2]).join(&sha256);
    assert_eq!(std::fs::read(blob).unwrap(), picture);
}

#[tokio::test]
async fn the_same_picture_twice_is_stored_once_with_its_first_receipt() {
    let house = House::new();
    let first = house.upload(&jpeg(1)).await;
    house.pass(HOUR_MS);
    assert_eq!(house.upload(&jpeg(1)).await, first);
}

#[tokio::test]
async fn bytes_before_a_cut_are_kept() {
    let house = House::new();
    let picture = jpeg(2);
    let location = house.create(&picture).await;
    house
        .patch(&location, 0, cut_body(&picture[..150]))
        .await
        .refused(408, "cut_off");

    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.header("upload-offset"), "150");
    let wrong = house.patch(&location, 100, picture[100..].to_vec()).await;
    wrong.refused(409, "wrong_offset");
    let last = house.patch(&location, 150, picture[150..].to_vec()).await;
    assert!(last.headers.contains_key("trapline-receipt"));
}

#[tokio::test]
async fn a_trap_that_forgot_everything_finds_its_upload_and_its_receipt() {
    let house = House::new();
    let picture = jpeg(3);
    let question = format!("/api/v1/uploads?sha256={}", Sha256::of(&picture));
    let unknown: PictureStatus = house.trap("GET", &question, &[], "").await.json();
    assert_eq!(unknown, PictureStatus::default());

    let location = house.create(&picture).await;
    // The answer to the creation was lost: announced again, it is the same upload.
    assert_eq!(house.create(&picture).await, location);
    house.patch(&location, 0, cut_body(&picture[..50])).await;
    let open: PictureStatus = house.trap("GET", &question, &[], "").await.json();
    let upload = open.upload.unwrap();
    assert_eq!(
        (upload.location.as_str(), upload.offset_bytes),
        (location.as_str(), 50)
    );

    house.patch(&location, 50, picture[50..].to_vec()).await;
    let done: PictureStatus = house.trap("GET", &question, &[], "").await.json();
    assert_eq!(done.receipt.unwrap().sha256, Sha256::of(&picture));
    assert_eq!(done.upload, None);
    // Another trap learns nothing of it.
    let asked = request("GET", &question, &[], "");
    let foreign: PictureStatus = house.trap_with(&house.other_key, asked).await.json();
    assert_eq!(foreign, PictureStatus::default());
}

#[tokio::test]
async fn what_is_not_the_announced_picture_is_thrown_away() {
    let house = House::new();
    let picture = jpeg(4);
    let location = house.create(&picture).await;
    let mut damaged = picture.clone();
    damaged[40] ^= 1;
    house
        .patch(&location, 0, damaged)
        .await
        .refused(460, "checksum_mismatch");
    assert_eq!(house.tus("HEAD", &location, &[], "").await.status, 410);
    assert!(
        house
            .data()
            .join("uploads")
            .read_dir()
            .unwrap()
            .next()
            .is_none()
    );
    house.upload(&picture).await;
}

#[tokio::test]
async fn a_request_with_a_checksum_counts_whole_or_not_at_all() {
    let house = House::new();
    let picture = jpeg(5);
    let location = house.create(&picture).await;
    let sum = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::of(bytes).as_bytes()));
    let send = async |offset: &str, checksum: &str, body: Body| {
        let headers = [
            ("upload-offset", offset),
            ("content-type", OCTETS),
            ("upload-checksum", checksum),
        ];
        house.tus("PATCH", &location, &headers, body).await
    };
    let part = &picture[..80];
    send("0", &sum(b"other"), Body::from(part.to_vec()))
        .await
        .refused(460, "checksum_mismatch");
    send("0", &sum(part), cut_body(&part[..30]))
        .await
        .refused(408, "cut_off");
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.header("upload-offset"), "0");

    let first = send("0", &sum(part), Body::from(part.to_vec())).await;
    assert_eq!(first.header("upload-offset"), "80");
    // SHA-1 of "abc", as every list of test vectors has it.
    let abc = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    let (status, word) = (400, "bad_request");
    for bad in ["md5 AAAA", "sha256", "sha256 !", "sha1 AAAA"] {
        send("80", bad, Body::empty()).await.refused(status, word);
    }
    let text = house.create(b"abc").await;
    let headers = [
        ("upload-offset", "0"),
        ("content-type", OCTETS),
        ("upload-checksum", abc),
    ];
    let stored = house.tus("PATCH", &text, &headers, "abc").await;
    assert!(stored.headers.contains_key("trapline-receipt"));
    let last = send(
        "80",
        &sum(&picture[80..]),
        Body::from(picture[80..].to_vec()),
    )
    .await;
    assert!(last.headers.contains_key("trapline-receipt"));
}

#[tokio::test]
async fn creation_takes_bytes_and_the_override_takes_post() {
    let house = House::new();
    let picture = jpeg(6);
    let headers = [
        ("upload-length", &*picture.len().to_string()),
        ("content-type", OCTETS),
    ];
    let path = "/api/v1/uploads";
    let made = house
        .tus("POST", path, &headers, picture[..60].to_vec())
        .await;
    assert_eq!(
        (made.status.as_u16(), made.header("upload-offset")),
        (201, "60")
    );
    let location = made.header("location").to_owned();
    let headers = [
        ("upload-offset", "60"),
        ("content-type", OCTETS),
        ("x-http-method-override", "PATCH"),
    ];
    let last = house
        .tus("POST", &location, &headers, picture[60..].to_vec())
        .await;
    assert_eq!(last.status, 204);
    assert!(last.headers.contains_key("trapline-receipt"));

    let headers = [
        ("upload-length", &*picture.len().to_string()),
        ("content-type", OCTETS),
    ];
    let whole = house.tus("POST", path, &headers, picture.clone()).await;
    assert_eq!(whole.status, 201);
    assert_eq!(
        whole.header("trapline-receipt"),
        last.header("trapline-receipt")
    );
}

#[tokio::test]
async fn headers_that_make_no_sense_are_refused() {
    let house = House::new();
    let path = "/api/v1/uploads";
    let options = house.trap("OPTIONS", path, &[], "").await;
    assert_eq!(options.header("tus-version"), "1.0.0");
    assert_eq!(options.header("tus-max-size"), "67108864");
    assert_eq!(options.header("tus-checksum-algorithm"), "sha256,sha1");
    assert_eq!(
        options.header("tus-extension"),
        "creation,creation-with-upload,checksum,expiration,termination"
    );

    let old = house
        .trap(
            "POST",
            path,
            &[("tus-resumable", "0.2.2"), ("upload-length", "1")],
            "",
        )
        .await;
    old.refused(412, "tus_version");
    assert_eq!(old.header("tus-version"), "1.0.0");
    house
        .trap("POST", path, &[("upload-length", "1")], "")
        .await
        .refused(412, "tus_version");

    let big = (64 * 1024 * 1024 + 1).to_string();
    for (headers, status, word) in [
        (vec![("upload-defer-length", "1")], 400, "bad_request"),
        (
            vec![("upload-length", "1"), ("upload-concat", "partial")],
            400,
            "bad_request",
        ),
        (vec![], 400, "bad_request"),
        (vec![("upload-length", "-1")], 400, "bad_request"),
        (vec![("upload-length", "+1")], 400, "bad_request"),
        (
            vec![("upload-length", "99999999999999999999999")],
            400,
            "bad_request",
        ),
        (vec![("upload-length", &*big)], 413, "too_large"),
        (
            vec![("upload-length", "1"), ("upload-metadata", "sha256 !!")],
            400,
            "bad_request",
        ),
        (
            vec![("upload-length", "1"), ("upload-metadata", "sha256")],
            400,
            "bad_request",
        ),
    ] {
        house
            .tus("POST", path, &headers, "")
            .await
            .refused(status, word);
    }

    let location = house.create(b"0123456789").await;
    let no_type = house
        .tus("PATCH", &location, &[("upload-offset", "0")], "01")
        .await;
    no_type.refused(415, "bad_type");
    let no_offset = house
        .tus("PATCH", &location, &[("content-type", OCTETS)], "01")
        .await;
    no_offset.refused(400, "bad_request");
    let too_much = house.patch(&location, 0, "0123456789AB").await;
    too_much.refused(413, "too_large");
    let asked = house.tus("HEAD", &location, &[], "").await;
    assert_eq!(asked.header("upload-offset"), "0");
}

#[tokio::test]
async fn an_upload_belongs_to_its_trap() {
    let house = House::new();
    let location = house.create(b"0123456789").await;
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "0"),
        ("content-type", OCTETS),
    ];
    for method in ["HEAD", "PATCH", "DELETE"] {
        let foreign = request(method, &location, &headers, "");
        let answer = house.trap_with(&house.other_key, foreign).await;
        assert_eq!(answer.status, 404, "{method}");
    }
    assert_eq!(house.tus("HEAD", &location, &[], "").await.status, 200);
}

#[tokio::test]
async fn names_that_climb_find_nothing() {
    let house = House::new();
    for path in [
        "/api/v1/uploads/..%2F..%2Ftrapline.db",
        "/api/v1/uploads/%2e%2e",
        "/api/v1/uploads/serve.lock",
    ] {
        assert_eq!(house.tus("HEAD", path, &[], "").await.status, 404, "{path}");
        assert_eq!(
            house.tus("DELETE", path, &[], "").await.status,
            404,
            "{path}"
        );
    }
    house
        .trap("GET", "/api/v1/uploads?sha256=../../etc/passwd", &[], "")
        .await
        .refused(400, "bad_request");
}

#[tokio::test]
async fn ended_and_forgotten_uploads_are_gone() {
    let house = House::new();
    let location = house.create(b"0123456789").await;
    assert_eq!(house.tus("DELETE", &location, &[], "").await.status, 204);
    assert_eq!(house.tus("DELETE", &location, &[], "").await.status, 204);
    assert_eq!(house.tus("HEAD", &location, &[], "").await.status, 410);

    let location = house.create(b"abcdefghij").await;
    house.patch(&location, 0, "abc").await;
    house.pass(6 * 24 * HOUR_MS);
    assert_eq!(
        house
            .tus("HEAD", &location, &[], "")
            .await
            .header("upload-offset"),
        "3"
    );
    house.pass(6 * 24 * HOUR_MS);
    assert_eq!(
        house
            .tus("HEAD", &location, &[], "")
            .await
            .header("upload-offset"),
        "3"
    );
    house.pass(7 * 24 * HOUR_MS + 1);
    house
        .patch(&location, 3, "defghij")
        .await
        .refused(410, "gone");
    assert!(
        house
            .data()
            .join("uploads")
            .read_dir()
            .unwrap()
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn too_many_unfinished_uploads_end_the_oldest() {
    let house = House::new();
    let first = house.create(b"picture number one").await;
    for number in 0..64_u8 {
        house.pass(1);
        house.create(&[number; 20]).await;
    }
    assert_eq!(house.tus("HEAD", &first, &[], "").await.status, 410);
    assert_eq!(house.data().join("uploads").read_dir().unwrap().count(), 64);
}

#[tokio::test]
async fn a_full_disk_is_said() {
    let house = House::with(|settings| settings.free_bytes_min = u64::MAX);
    let headers = [
        ("upload-length", "10"),
        ("upload-metadata", &*metadata(b"x")),
    ];
    house
        .tus("POST", "/api/v1/uploads", &headers, "")
        .await
        .refused(507, "disk_full");
    assert_eq!(
        house.send(request("GET", "/healthz", &[], "")).await.status,
        503
    );
}

#[tokio::test(start_paused = true)]
async fn a_newer_request_takes_over_from_a_dead_one() {
    let house = House::new();
    let picture = jpeg(7);
    let location = house.create(&picture).await;
    // The link died, but the server does not know: the body never ends.
    let parts = stream::iter([Ok::<_, std::io::Error>(Bytes::copy_from_slice(
        &picture[..70],
    ))]);
    let endless = futures_util::StreamExt::chain(parts, stream::pending());
    let dead = house.patch(&location, 0, Body::from_stream(endless));
    let alive = async {
        tokio::task::yield_now().await;
        let asked = house.tus("HEAD", &location, &[], "").await;
        assert_eq!(asked.header("upload-offset"), "70");
        house.patch(&location, 70, picture[70..].to_vec()).await
    };
    let (dead, alive) = tokio::join!(dead, alive);
    dead.refused(423, "taken_over");
    assert!(alive.headers.contains_key("trapline-receipt"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up() {
    let house = House::new();
    let location = house.create(b"0123456789").await;
    let endless = stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = house.patch(&location, 0, Body::from_stream(endless)).await;
    answer.refused(408, "cut_off");
}
