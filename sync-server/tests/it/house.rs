//! A server in a temporary folder with a clock that the test moves, and the
//! traps and people who use it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tempfile::TempDir;
use tower::ServiceExt as _;
use trapline_server::{Settings, State, Work};
use trapline_wire::{Sha256, TrapKey};

/// Where the test's clock starts: a day in summer 2026.
pub(crate) const NOON_MS: i64 = 1_782_000_000_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const OCTETS: &str = "application/offset+octet-stream";

pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) key: TrapKey,
    pub(crate) other_key: TrapKey,
    now_ms: Arc<AtomicI64>,
    folder: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?} ({})", self.body, self.status))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .to_str()
            .unwrap()
    }

    /// The word of a problem.
    pub(crate) fn word(&self) -> String {
        self.json::<Value>()["error"].as_str().unwrap().to_owned()
    }

    /// Checks status and word of a refusal.
    pub(crate) fn refused(&self, status: u16, word: &str) {
        assert_eq!(
            (self.status.as_u16(), self.word().as_str()),
            (status, word),
            "{:?}",
            self.body
        );
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl House {
    /// A server with two traps, and the user `ada` with the password `correct horse`.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl Fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now_ms = Arc::new(AtomicI64::new(NOON_MS));
        let (key, other_key) = (
            TrapKey::from_random(&[1; 25]),
            TrapKey::from_random(&[2; 25]),
        );
        let state = open(folder.path().to_owned(), &now_ms, &change);
        assert!(state.enrol_trap("meadow", &key).unwrap());
        assert!(state.enrol_trap("forest", &other_key).unwrap());
        assert!(state.enrol_researcher("ada", "correct horse").unwrap());
        Self {
            router: trapline_server::router(state),
            key,
            other_key,
            now_ms,
            folder,
        }
    }

    /// The server again on the same folder, as after a power cut.
    pub(crate) fn restarted(self) -> Self {
        self.restarted_with(|_| {})
    }

    pub(crate) fn restarted_with(self, change: impl Fn(&mut Settings)) -> Self {
        let state = open(self.folder.path().to_owned(), &self.now_ms, &change);
        Self {
            router: trapline_server::router(state),
            ..self
        }
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// A trap's request with its key.
    pub(crate) async fn trap(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.trap_with(&self.key, request(method, path, headers, body))
            .await
    }

    pub(crate) async fn trap_with(&self, key: &TrapKey, mut request: Request<Body>) -> Answer {
        let value = format!("Bearer {}", key.reveal()).parse().unwrap();
        request.headers_mut().insert("authorization", value);
        self.send(request).await
    }

    pub(crate) async fn sync(&self, batch: &Value) -> Answer {
        self.trap("POST", "/api/v1/sync", &[], batch.to_string())
            .await
    }

    pub(crate) async fn create(&self, picture: &[u8]) -> String {
        let answer = self
            .tus(
                "POST",
                "/api/v1/uploads",
                &[
                    ("upload-length", &picture.len().to_string()),
                    ("upload-metadata", &metadata(picture)),
                ],
                "",
            )
            .await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        answer.header("location").to_owned()
    }

    /// A request of tus with its version.
    pub(crate) async fn tus(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut all = vec![("tus-resumable", "1.0.0")];
        all.extend_from_slice(headers);
        self.trap(method, path, &all, body).await
    }

    pub(crate) async fn patch(
        &self,
        location: &str,
        offset: usize,
        body: impl Into<Body>,
    ) -> Answer {
        self.tus(
            "PATCH",
            location,
            &[
                ("upload-offset", &offset.to_string()),
                ("content-type", OCTETS),
            ],
            body,
        )
        .await
    }

    /// Uploads a whole picture and gives its receipt's text.
    pub(crate) async fn upload(&self, picture: &[u8]) -> String {
        let location = self.create(picture).await;
        let answer = self.patch(&location, 0, picture.to_vec()).await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
        answer.header("trapline-receipt").to_owned()
    }

    /// The cookie of a fresh login.
    pub(crate) async fn login(&self) -> String {
        let answer = self.try_login("ada", "correct horse").await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let cookie = answer.header("set-cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn try_login(&self, name: &str, password: &str) -> Answer {
        let body = json!({ "name": name, "password": password }).to_string();
        self.send(request("POST", "/api/v1/login", &[], body)).await
    }

    /// A researcher's question.
    pub(crate) async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.send(request("GET", path, &[("cookie", cookie)], ""))
            .await
    }
}

fn open(data: PathBuf, now_ms: &Arc<AtomicI64>, change: &dyn Fn(&mut Settings)) -> State {
    let clock = Arc::clone(now_ms);
    // Shared by all servers of this process: one that starts again repeats no id.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut settings = Settings::new(data);
    settings.work = Work::Inline;
    settings.clock = Arc::new(move || clock.load(Ordering::SeqCst));
    settings.random = Arc::new(|bytes| {
        let seed = NEXT.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        bytes.copy_from_slice(&Sha256::of(&seed).as_bytes()[..bytes.len()]);
    });
    settings.free_bytes_min = 0;
    change(&mut settings);
    State::open(settings).unwrap()
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub(crate) fn metadata(picture: &[u8]) -> String {
    format!(
        "sha256 {}",
        STANDARD.encode(Sha256::of(picture).to_string())
    )
}

/// A small picture that every viewer opens; `seed` makes it differ.
pub(crate) fn jpeg(seed: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([seed, (x * 4).to_le_bytes()[0], (y * 5).to_le_bytes()[0]])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

pub(crate) fn stamp(unix_ms: i64) -> Value {
    json!({ "unix_ms": unix_ms, "quality": "synced", "boot_id": "boot", "uptime_ms": 1000 })
}

pub(crate) fn id(number: u32) -> String {
    format!("7f3a9c21-{number:08}")
}

pub(crate) fn capture(number: u32, unix_ms: i64, picture: &[u8]) -> Value {
    json!({
        "id": id(number), "stamp": stamp(unix_ms),
        "source": { "kind": "replayed", "file_name": "card.jpg" },
        "picture": {
            "sha256": Sha256::of(picture).to_string(), "size_bytes": picture.len(),
            "width_px": 64, "height_px": 48,
        },
        "reading": null,
    })
}

pub(crate) fn inspection(number: u32, unix_ms: i64, scores: &[f64]) -> Value {
    let detections: Vec<Value> = scores
        .iter()
        .map(|score| {
            json!({
                "x_px": 1.5, "y_px": 2.0, "width_px": 10.0, "height_px": 11.0,
                "score": score, "class": "insect",
            })
        })
        .collect();
    json!({
        "capture": id(number),
        "model": { "id": "m1", "sha256": Sha256::of(b"model").to_string(), "threshold": 0.4 },
        "stamp": stamp(unix_ms), "took_ms": 900,
        "outcome": { "kind": "seen", "detections": detections },
    })
}

pub(crate) fn reading(number: u32, unix_ms: i64, temperature_c: f64) -> Value {
    json!({
        "id": id(number), "stamp": stamp(unix_ms), "temperature_c": temperature_c,
        "humidity_percent": null, "light_lux": 120.0, "battery_v": 3.9,
    })
}

pub(crate) fn missed(number: u32, due_ms: i64, detail: &str) -> Value {
    json!({
        "id": id(number), "due_ms": due_ms, "last_due_ms": due_ms, "shots": 1,
        "outcome": { "kind": "missed", "reason": "camera", "detail": detail },
        "closed": stamp(due_ms),
    })
}
