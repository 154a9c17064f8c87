//! Files that traps fetch: each stored once under the SHA-256 of its content, and
//! handed out whole or in pieces.
//!
//! `DATA/models/<sha256>` holds model files and manifests, `DATA/updates/<sha256>`
//! bundles. A file is synced before it gets its name, and its folder before a row
//! stands for it.

use crate::auth::Trap;
use crate::problem::{Failure, bad_request, json, not_found};
use crate::state::State;
use axum::Router;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path as FsPath, PathBuf};
use trapline_wire::Sha256;
use trapline_wire::limits::MODEL_BYTES_MAX;
use trapline_wire::v1::Problem;

/// More than this of a file does not go out at once: it is held in memory.
const PIECE_BYTES_MAX: u64 = MODEL_BYTES_MAX;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Of models: the network or its manifest.
    Models,
    /// Bundles, each an update of a whole trap.
    Updates,
}

impl Shelf {
    fn folder(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Updates => "updates",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Models => "model",
            Self::Updates => "update",
        }
    }
}

/// The files, for traps.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/api/v1/models/{sha256}", get(model_file))
        .route("/api/v1/updates/{sha256}", get(bundle))
}

/// Where the file of that content is.
fn place(data: &FsPath, shelf: Shelf, sha256: &Sha256) -> PathBuf {
    data.join(shelf.folder()).join(sha256.to_string())
}

/// Stores a file under its content's name; one that is there is written anew,
/// which mends a damaged one. The caller has hashed what `from` gives.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the durable rename: file synced before, folder synced after"
)]
pub(crate) fn keep(
    data: &FsPath,
    shelf: Shelf,
    sha256: &Sha256,
    mut from: impl Read,
) -> Result<(), Failure> {
    let folder = data.join(shelf.folder());
    fs::create_dir_all(&folder).map_err(Failure::file("make the folder", &folder))?;
    sync_folder(data)?;
    let path = place(data, shelf, sha256);
    let half = path.with_extension("half");
    let written = File::create(&half).and_then(|mut file| {
        io::copy(&mut from, &mut file)?;
        file.sync_all()
    });
    written.map_err(Failure::file("write", &half))?;
    fs::rename(&half, &path).map_err(Failure::file("name", &path))?;
    sync_folder(&folder)
}

fn sync_folder(folder: &FsPath) -> Result<(), Failure> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Failure::file("sync the folder", folder))
}

/// Opens a stored file for reading, with its size; `None` when it is not here.
fn open(data: &FsPath, shelf: Shelf, sha256: &Sha256) -> Result<Option<(File, u64)>, Failure> {
    let path = place(data, shelf, sha256);
    match File::open(&path).and_then(|file| file.metadata().map(|facts| (file, facts.len()))) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("open", &path)(error)),
    }
}

/// A piece of a file, from its first byte to before its last.
struct Piece {
    bytes: Vec<u8>,
    from: u64,
    size_bytes: u64,
}

async fn model_file(
    extract::State(state): extract::State<State>,
    _trap: Trap,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    piece(&state, Shelf::Models, &name, &headers).await
}

async fn bundle(
    extract::State(state): extract::State<State>,
    _trap: Trap,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    piece(&state, Shelf::Updates, &name, &headers).await
}

async fn piece(
    state: &State,
    shelf: Shelf,
    name: &str,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let noun = shelf.noun();
    let sha256: Sha256 = name.parse().map_err(|_| {
        bad_request(format!(
            "the file of a {noun} is asked for by its SHA-256, 64 hex digits"
        ))
    })?;
    let range = asked_range(headers)?;
    let found = state
        .work(move |shared| {
            let is_known = match shelf {
                Shelf::Models => shared.reader().is_model_file(&sha256)?,
                Shelf::Updates => shared.reader().is_bundle(&sha256)?,
            };
            if !is_known {
                return Err(not_found(format!("no {noun} has this file")));
            }
            let Some((file, size_bytes)) = open(&shared.settings.data, shelf, &sha256)? else {
                return Err(Failure::Broken(format!(
                    "the file {sha256} of a {noun} is not in its place"
                )));
            };
            if range.is_none() && size_bytes > PIECE_BYTES_MAX {
                return Err(bad_request(format!(
                    "the file has {size_bytes} bytes; ask for pieces with a `Range`"
                )));
            }
            let (from, until) = range.unwrap_or((0, u64::MAX));
            let until = until
                .min(size_bytes)
                .min(from.saturating_add(PIECE_BYTES_MAX));
            if from >= until {
                return Ok(Err(size_bytes));
            }
            let mut bytes = vec![0; usize::try_from(until - from).unwrap_or(0)];
            file.read_exact_at(&mut bytes, from).map_err(|error| {
                Failure::Broken(format!("cannot read the file of a {noun}: {error}"))
            })?;
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
