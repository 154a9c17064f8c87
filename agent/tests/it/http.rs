//! The uplink against servers that are not what they should be, over loopback.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use trapline_agent::config::Config;
use trapline_agent::sync::http::{HttpUplink, Says};
use trapline_agent::sync::uplink::{NewUpload, Uplink, UplinkError};
use trapline_wire::v1::{Receipt, SyncBatch};
use trapline_wire::{Sha256, TrapKey};

/// Answers the first request with these bytes; returns what `ask` got and what was asked.
async fn with_answer<T>(answer: String, ask: impl AsyncFnOnce(HttpUplink) -> T) -> (T, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = TrapKey::from_random(&[7; 25]);
    let config = Config::from_text("test", "[camera]\nkind = \"none\"\n").unwrap();
    let uplink = HttpUplink::new(&url, &key, &Says::default(), &config.sync).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let mut piece = [0; 4096];
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "the request was cut off");
            asked.extend_from_slice(&piece[..read]);
        }
        // The client may hang up as soon as it has seen enough.
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
        while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {}
        String::from_utf8_lossy(&asked).into_owned()
    };
    let (got, asked) = tokio::join!(ask(uplink), serve);
    (got, asked)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

async fn post(answer: String) -> UplinkError {
    let ask = async |mut uplink: HttpUplink| uplink.post(&SyncBatch::default()).await;
    with_answer(answer, ask).await.0.unwrap_err()
}

#[tokio::test]
async fn a_page_of_somebody_elses_is_no_answer() {
    let error = post(answer("200 OK", "", "<html>Welcome to Hotel Wi-Fi</html>")).await;
    let UplinkError::Nonsense(why) = error else {
        panic!("{error:?}");
    };
    assert!(why.contains("Hotel Wi-Fi"), "{why}");
}

#[tokio::test]
async fn a_redirect_is_refused_because_it_would_carry_the_key_away() {
    let headers = "location: http://evil.example/login\r\n";
    let error = post(answer("302 Found", headers, "")).await;
    assert!(matches!(&error, UplinkError::Nonsense(why) if why.contains("evil.example")));
    assert!(error.to_string().contains("`server.url`"));
}

#[tokio::test]
async fn each_status_has_its_reaction() {
    let problem = "{\"error\":\"x\",\"message\":\"do this\"}";
    let of = |status| answer(status, "retry-after: 7\r\n", problem);
    let words = "do this".to_owned();
    assert_eq!(
        post(of("401 Unauthorized")).await,
        UplinkError::BadKey(words.clone())
    );
    assert_eq!(
        post(of("404 Not Found")).await,
        UplinkError::Gone(words.clone())
    );
    assert_eq!(
        post(of("409 Conflict")).await,
        UplinkError::OutOfStep(words.clone())
    );
    assert_eq!(
        post(of("413 Too Large")).await,
        UplinkError::TooLarge(words.clone())
    );
    assert_eq!(
        post(of("460 Mismatch")).await,
        UplinkError::Mismatch(words.clone())
    );
    let unwell = UplinkError::Unwell {
        status: 503,
        message: words.clone(),
        retry_after: Some(Duration::from_secs(7)),
    };
    assert_eq!(post(of("503 Service Unavailable")).await, unwell);
    let rejected = UplinkError::Rejected {
        status: 400,
        message: words,
    };
    assert_eq!(post(of("400 Bad Request")).await, rejected);
    let elsewhere = post(answer("404 Not Found", "", "nginx")).await;
    assert!(
        matches!(elsewhere, UplinkError::Nonsense(_)),
        "{elsewhere:?}"
    );
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let endless = answer("200 OK", "", &" ".repeat(2 * 1024 * 1024));
    let error = post(endless).await;
    assert!(
        matches!(&error, UplinkError::Nonsense(why) if why.contains("longer than")),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_no_answer() {
    let mut cut = answer("200 OK", "", "{\"server_time_ms\":1,\"stored\":0}");
    cut.truncate(cut.len() - 5);
    let error = post(cut).await;
    assert!(matches!(error, UplinkError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn an_upload_is_plain_tus_with_the_key() {
    let picture = NewUpload {
        sha256: Sha256::of(b"picture"),
        size_bytes: 7,
        file_name: "a.jpg".to_owned(),
    };
    let receipt = Receipt {
        sha256: picture.sha256,
        size_bytes: 7,
        stored_ms: 5,
    };
    let headers = format!(
        "location: /api/v1/uploads/abc\r\nupload-offset: 7\r\ntrapline-receipt: {}\r\n",
        serde_json::to_string(&receipt).unwrap()
    );
    let ask = async |mut uplink: HttpUplink| uplink.create(&picture, b"picture".to_vec()).await;
    let (got, asked) = with_answer(answer("201 Created", &headers, ""), ask).await;
    let got = got.unwrap();
    assert_eq!(got.location, "/api/v1/uploads/abc");
    assert_eq!((got.offset_bytes, got.receipt), (7, Some(receipt)));
    let asked = asked.to_ascii_lowercase();
    for header in [
        "post /api/v1/uploads http/1.1",
        "authorization: bearer trapk_",
        "tus-resumable: 1.0.0",
        "upload-length: 7",
        "content-type: application/offset+octet-stream",
        "upload-metadata: sha256 ",
    ] {
        assert!(asked.contains(header), "{header} in {asked}");
    }
}
