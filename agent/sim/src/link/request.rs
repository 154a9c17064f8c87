//! Requests as a trap writes them, and what it reads in the answers.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::stream;
use serde::de::DeserializeOwned;
use std::io;
use std::time::Duration;
use trapline_agent::sync::uplink::{NewUpload, Shelf, UplinkError, Uploaded};
use trapline_wire::v1::{Problem, Receipt};
use trapline_wire::{Sha256, TrapKey};

const UPLOADS: &str = "/api/v1/uploads";
/// A body goes in pieces of this size, with a turn for everybody else between.
const PIECE_BYTES: usize = 1500;

/// What a trap asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method<'a> {
    Sync,
    Status(&'a Sha256),
    Create(&'a NewUpload),
    Append {
        location: &'a str,
        offset_bytes: u64,
    },
    Fetch {
        shelf: Shelf,
        sha256: &'a Sha256,
        offset_bytes: u64,
        len_bytes: u64,
    },
}

impl Method<'_> {
    /// A word for the trace.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Status(_) => "status",
            Self::Create(_) => "create",
            Self::Append { .. } => "append",
            Self::Fetch { .. } => "fetch",
        }
    }

    /// The request; with `cut`, its body breaks off after that share.
    pub(super) fn request(&self, key: &TrapKey, body: Vec<u8>, cut: Option<f64>) -> Request<Body> {
        let request = match self {
            Self::Sync => {
                Request::post("/api/v1/sync").header(header::CONTENT_TYPE, "application/json")
            }
            Self::Status(sha256) => Request::get(format!("{UPLOADS}?sha256={sha256}")),
            Self::Create(picture) => {
                let encoded = |text: &str| BASE64.encode(text);
                let metadata = format!(
                    "sha256 {},filename {}",
                    encoded(&picture.sha256.to_string()),
                    encoded(&picture.file_name)
                );
                piece(Request::post(UPLOADS))
                    .header("upload-length", picture.size_bytes)
                    .header("upload-metadata", metadata)
            }
            Self::Append {
                location,
                offset_bytes,
            } => piece(Request::patch(*location)).header("upload-offset", *offset_bytes),
            Self::Fetch {
                shelf,
                sha256,
                offset_bytes,
                len_bytes,
            } => {
                let last = (offset_bytes + len_bytes).saturating_sub(1);
                Request::get(format!("{}/{sha256}", shelf.path()))
                    .header(header::RANGE, format!("bytes={offset_bytes}-{last}"))
            }
        };
        request
            .header(header::AUTHORIZATION, format!("Bearer {}", key.reveal()))
            .body(in_pieces(body, cut))
            .expect("a request of fixed words and checked values")
    }
}

fn piece(request: axum::http::request::Builder) -> axum::http::request::Builder {
    request
        .header("tus-resumable", "1.0.0")
        .header(header::CONTENT_TYPE, "application/offset+octet-stream")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of the body, clamped by the slice below"
)]
fn in_pieces(mut body: Vec<u8>, cut: Option<f64>) -> Body {
    if let Some(share) = cut {
        body.truncate((body.len() as f64 * share) as usize);
    }
    let body = Bytes::from(body);
    let is_cut = cut.is_some();
    Body::from_stream(stream::unfold(
        (body, is_cut),
        |(mut body, is_cut)| async move {
            tokio::task::yield_now().await;
            if !body.is_empty() {
                let bytes = body.split_to(body.len().min(PIECE_BYTES));
                return Some((Ok(bytes), (body, is_cut)));
            }
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            is_cut.then(|| (Err(broken), (body, false)))
        },
    ))
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, UplinkError> {
        serde_json::from_slice(&self.body).map_err(|error| UplinkError::Nonsense(error.to_string()))
    }

    /// Where an upload stands after this answer.
    pub(super) fn uploaded(&self, location: Option<&str>) -> Result<Uploaded, UplinkError> {
        let nonsense = |why: &str| UplinkError::Nonsense(why.to_owned());
        let location = location
            .or_else(|| self.header(header::LOCATION.as_str()))
            .ok_or_else(|| nonsense("it names no upload"))?;
        let offset_bytes = self
            .header("upload-offset")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| nonsense("it has no `Upload-Offset`"))?;
        let receipt = match self.header("trapline-receipt") {
            None => None,
            Some(text) => Some(
                serde_json::from_str::<Receipt>(text)
                    .map_err(|_| nonsense("its receipt cannot be read"))?,
            ),
        };
        Ok(Uploaded {
            location: location.to_owned(),
            offset_bytes,
            receipt,
        })
    }

    /// A piece of a file, from the byte that was asked for.
    pub(super) fn piece(&self, offset_bytes: u64) -> Result<Vec<u8>, UplinkError> {
        let place = self.header(header::CONTENT_RANGE.as_str());
        let begins = format!("bytes {offset_bytes}-");
        if self.status != StatusCode::PARTIAL_CONTENT
            || !place.is_some_and(|place| place.starts_with(&begins))
        {
            let why = format!("{} {place:?} for a piece from {offset_bytes}", self.status);
            return Err(UplinkError::Nonsense(why));
        }
        Ok(self.body.to_vec())
    }

    /// What a trap makes of an answer that is no success.
    pub(super) fn refusal(&self) -> UplinkError {
        let problem = serde_json::from_slice::<Problem>(&self.body).ok();
        let is_parked = problem.as_ref().is_some_and(|p| p.error == "parked");
        let message = problem.map_or_else(|| "no words".to_owned(), |problem| problem.message);
        let retry_after = self
            .header(header::RETRY_AFTER.as_str())
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs);
        let status = self.status.as_u16();
        match status {
            403 if is_parked => UplinkError::Parked(message),
            401 | 403 => UplinkError::BadKey(message),
            404 | 410 => UplinkError::Gone(message),
            409 => UplinkError::OutOfStep(message),
            413 => UplinkError::TooLarge(message),
            460 => UplinkError::Mismatch(message),
            408 | 429 | 500..=599 => UplinkError::Unwell {
                status,
                message,
                retry_after,
            },
            _ => UplinkError::Rejected { status, message },
        }
    }
}
