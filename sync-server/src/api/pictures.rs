//! A capture's picture, byte for byte, and its thumbnail.

use super::captures::find;
use crate::auth::Researcher;
use crate::problem::{Failure, not_found};
use crate::state::State;
use crate::uploads;
use axum::body::{Body, Bytes};
use axum::extract::{self, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use trapline_wire::Sha256;
use trapline_wire::read::PictureState;

const CHUNK_BYTES: usize = 256 * 1024;
/// What a capture's address shows never changes, but only who is logged in may see it.
const CACHED: &str = "private, max-age=31536000, immutable";

pub(super) async fn picture(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path((trap, capture)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let found = state
        .work(move |shared| {
            let row = find(&shared.reader(), &trap, &capture)?;
            if row.picture_state == PictureState::OnTrap {
                return Ok(None);
            }
            let sha256 = row.record.picture.sha256;
            let Some((file, size_bytes)) = shared.blobs.picture(&sha256)? else {
                return Err(Failure::Broken(format!(
                    "the stored picture {sha256} is not in its place"
                )));
            };
            let mut start = [0; 8];
            let read = file.read_at(&mut start, 0).unwrap_or(0);
            let kind = kind(start.get(..read).unwrap_or_default());
            Ok(Some((sha256, file, size_bytes, kind)))
        })
        .await?;
    let Some((sha256, file, size_bytes, kind)) = found else {
        return Err(not_found("the picture is still on the trap"));
    };
    let tag = format!("\"{sha256}\"");
    if is_known(&headers, &tag) {
        return Ok(cached(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let body = Body::from_stream(stream::try_unfold(
        (state, file, 0),
        |(state, file, at)| async move { next_part(state, file, at).await },
    ));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
    if kind == "application/octet-stream" {
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        );
    }
    Ok(cached(response, &tag))
}

type Part = Option<(Bytes, (State, File, u64))>;

async fn next_part(state: State, file: File, at: u64) -> Result<Part, std::io::Error> {
    let read = state
        .work(move |_| {
            let mut buffer = vec![0; CHUNK_BYTES];
            let read = file
                .read_at(&mut buffer, at)
                .map_err(|error| Failure::Broken(format!("cannot read a picture: {error}")))?;
            buffer.truncate(read);
            Ok((file, buffer))
        })
        .await;
    let (file, buffer) = read.map_err(|failure| {
        log::error!("a picture could not be sent: {failure}");
        std::io::Error::other(failure.to_string())
    })?;
    if buffer.is_empty() {
        return Ok(None);
    }
    let next = at + buffer.len() as u64;
    Ok(Some((Bytes::from(buffer), (state, file, next))))
}

/// The type of a picture by its first bytes; what is no picture is not shown as one.
fn kind(start: &[u8]) -> &'static str {
    match start {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        _ => "application/octet-stream",
    }
}

pub(super) async fn thumbnail(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path((trap, capture)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (sha256, jpeg) = state
        .work(move |shared| {
            let row = find(&shared.reader(), &trap, &capture)?;
            let sha256: Sha256 = row.record.picture.sha256;
            match row.picture_state {
                PictureState::OnTrap => return Err(not_found("the picture is still on the trap")),
                PictureState::Unreadable => {
                    return Err(not_found("no viewer can open this picture"));
                }
                PictureState::Stored => {}
            }
            if let Err(reason) = uploads::make_thumbnail(shared, &sha256) {
                return Err(not_found(format!("there is no thumbnail: {reason}")));
            }
            let jpeg = shared.blobs.thumbnail(&sha256)?;
            jpeg.map(|jpeg| (sha256, jpeg))
                .ok_or_else(|| not_found("there is no thumbnail"))
        })
        .await?;
    let tag = format!("\"{sha256}-320\"");
    if is_known(&headers, &tag) {
        return Ok(cached(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let mut response = Body::from(jpeg).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok(cached(response, &tag))
}

pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag)
}

pub(super) fn cached(mut response: Response, tag: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHED));
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    response
}
