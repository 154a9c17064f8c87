//! What goes wrong while a request is answered, and the answer it gets.
//!
//! The variants are reactions: what the asker did wrong is told to the asker,
//! what the server suffers is logged here and told without its inner details.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io;
use std::path::{Path, PathBuf};
use trapline_wire::v1::Problem;

/// Why a request gets no success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The asker can do something about it.
    #[error("{0}")]
    Refused(Refused),
    /// The database did not do its work.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Something that should never be: said in words for the log.
    #[error("{0}")]
    Broken(String),
}

/// A refusal with everything its answer says.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after_s: Option<u64>,
}

/// A refusal with status `status`, the word `error` and a sentence.
pub(crate) fn refuse(
    status: StatusCode,
    error: &'static str,
    message: impl Into<String>,
) -> Failure {
    Failure::Refused(Refused {
        status,
        error,
        message: message.into(),
        retry_after_s: None,
    })
}

/// `400` with the word `bad_request`.
pub(crate) fn bad_request(message: impl Into<String>) -> Failure {
    refuse(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// `404` with the word `not_found`.
pub(crate) fn not_found(message: impl Into<String>) -> Failure {
    refuse(StatusCode::NOT_FOUND, "not_found", message)
}

/// `413` with the word `too_large`.
pub(crate) fn too_large(message: impl Into<String>) -> Failure {
    refuse(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

/// `507` with the word `disk_full`.
pub(crate) fn disk_full() -> Failure {
    refuse(
        StatusCode::INSUFFICIENT_STORAGE,
        "disk_full",
        "the server's disk is nearly full: keep the data and send it again later; \
         whoever runs the server must make room",
    )
}

impl Failure {
    /// Says which file an operation failed on: `.map_err(Failure::file("open", path))`.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }

    fn is_full_disk(&self) -> bool {
        match self {
            Self::Database(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            Self::File { source, .. } => {
                matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                )
            }
            Self::Refused(_) | Self::Broken(_) => false,
        }
    }

    fn into_refused(self) -> Refused {
        match self {
            Self::Refused(refused) => return refused,
            Self::Database(_) | Self::File { .. } | Self::Broken(_) => {}
        }
        log::error!("a request failed: {self}");
        let answer = if self.is_full_disk() {
            disk_full()
        } else {
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the server failed; its log says why; send the request again later",
            )
        };
        match answer {
            Self::Refused(refused) => refused,
            Self::Database(_) | Self::File { .. } | Self::Broken(_) => Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                error: "internal",
                message: String::new(),
                retry_after_s: None,
            },
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refused = self.into_refused();
        let problem = Problem {
            error: refused.error.to_owned(),
            message: refused.message,
        };
        let mut response = json(refused.status, &problem);
        let headers = response.headers_mut();
        if let Some(seconds) = refused.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if refused.error == "bad_key" {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An answer with a JSON body that no cache keeps.
pub(crate) fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Response {
    let Ok(text) = serde_json::to_vec(value) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
