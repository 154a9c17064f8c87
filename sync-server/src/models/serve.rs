//! `GET /api/v1/models/{sha256}`: a file of a model, or a piece of it.

use crate::auth::Trap;
use crate::problem::{Failure, bad_request, json, not_found};
use crate::state::State;
use axum::Router;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::os::unix::fs::FileExt as _;
use trapline_wire::Sha256;
use trapline_wire::v1::Problem;

/// The files of models, for traps.
pub(crate) fn router() -> Router<State> {
    Router::new().route("/api/v1/models/{sha256}", get(file))
}

/// A piece of a file, from its first byte to before its last.
struct Piece {
    bytes: Vec<u8>,
    from: u64,
    size_bytes: u64,
}

async fn file(
    extract::State(state): extract::State<State>,
    _trap: Trap,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let sha256: Sha256 = name
        .parse()
        .map_err(|_| bad_request("a model's file is asked for by its SHA-256, 64 hex digits"))?;
    let range = asked_range(&headers)?;
    let found = state
        .work(move |shared| {
            if !shared.reader().is_model_file(&sha256)? {
                return Err(not_found("no model has this file"));
            }
            let Some((file, size_bytes)) = super::open(&shared.settings.data, &sha256)? else {
                return Err(Failure::Broken(format!(
                    "the model file {sha256} is not in its place"
                )));
            };
            let (from, until) = range.unwrap_or((0, u64::MAX));
            let until = until.min(size_bytes);
            if from >= until {
                return Ok(Err(size_bytes));
            }
            let mut bytes = vec![0; usize::try_from(until - from).unwrap_or(0)];
            file.read_exact_at(&mut bytes, from)
                .map_err(|error| Failure::Broken(format!("cannot read a model file: {error}")))?;
            Ok(Ok(Piece {
                bytes,
                from,
                size_bytes,
            }))
        })
        .await?;
    Ok(match found {
        Ok(piece) => answer(piece, range.is_some(), &sha256),
        Err(size_bytes) => beyond(size_bytes),
    })
}

fn answer(piece: Piece, is_range: bool, sha256: &Sha256) -> Response {
    let until = piece.from + piece.bytes.len() as u64;
    let mut response = Body::from(piece.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(tag) = HeaderValue::try_from(format!("\"{sha256}\"")) {
        headers.insert(header::ETAG, tag);
    }
    if is_range {
        let last = until.saturating_sub(1);
        let place = format!("bytes {}-{last}/{}", piece.from, piece.size_bytes);
        if let Ok(place) = HeaderValue::try_from(place) {
            headers.insert(header::CONTENT_RANGE, place);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn beyond(size_bytes: u64) -> Response {
    let problem = Problem {
        error: "beyond_the_end".to_owned(),
        message: format!("the file has {size_bytes} bytes"),
    };
    let mut response = json(StatusCode::RANGE_NOT_SATISFIABLE, &problem);
    if let Ok(place) = HeaderValue::try_from(format!("bytes */{size_bytes}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, place);
    }
    response
}

/// The first byte that is asked for and the one after the last; `None` for the whole file.
fn asked_range(headers: &HeaderMap) -> Result<Option<(u64, u64)>, Failure> {
    let Some(value) = headers.get(header::RANGE) else {
        return Ok(None);
    };
    let range = value.to_str().ok().and_then(parse_range);
    range.map(Some).ok_or_else(|| {
        bad_request("the `Range` must be one of the forms `bytes=0-99` and `bytes=100-`")
    })
}

fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let until = match last {
        "" => u64::MAX,
        last => last.parse::<u64>().ok()?.checked_add(1)?,
    };
    Some((first, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        assert_eq!(parse_range("bytes=0-99"), Some((0, 100)));
        assert_eq!(parse_range("bytes=100-"), Some((100, u64::MAX)));
        for wrong in [
            "bytes=-5",
            "bytes=1-2,4-5",
            "bytes=a-b",
            "lines=1-2",
            "bytes=5",
        ] {
            assert_eq!(parse_range(wrong), None, "{wrong}");
        }
    }
}
