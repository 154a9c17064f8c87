//! What the page answers: JSON, pictures, and refusals in words for people.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    message: String,
}

#[derive(Serialize)]
struct Words<'a> {
    message: &'a str,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// Why, for people.
    pub(super) fn words(&self) -> &str {
        &self.message
    }

    /// What was sent cannot be used.
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The trap cannot do it now.
    pub(super) fn trouble(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// There is no such thing.
    pub(super) fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "the trap has no such thing")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let words = Words {
            message: &self.message,
        };
        let mut response = json(&words);
        *response.status_mut() = self.status;
        response
    }
}

impl From<crate::stage::StageError> for Refused {
    fn from(error: crate::stage::StageError) -> Self {
        Self::trouble(error.in_full())
    }
}

impl From<crate::hands::Panicked> for Refused {
    fn from(panicked: crate::hands::Panicked) -> Self {
        Self::trouble(format!("a mistake in the program: {}", panicked.0))
    }
}

/// `value` as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => sent(bytes, "application/json"),
        Err(error) => {
            log::warn!("an answer of the page cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Bytes of a kind.
pub(super) fn sent(bytes: impl Into<Body>, kind: &'static str) -> Response {
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A body as JSON, when it has at most so many bytes.
pub(super) async fn read_json<T: DeserializeOwned>(
    body: Body,
    bytes_max: usize,
) -> Result<T, Refused> {
    let bytes = axum::body::to_bytes(body, bytes_max).await.map_err(|_| {
        let message = format!("this is cut off, or more than {} kB", bytes_max / 1000);
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refused::wrong(format!("the trap does not understand this: {error}")))
}
