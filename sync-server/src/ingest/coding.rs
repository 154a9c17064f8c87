//! Batches that come compressed: `Content-Encoding: gzip`. However small a body
//! is, what it unfolds to has the same bound as a plain one.

use crate::problem::{Failure, bad_request, refuse, too_large};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::MultiGzDecoder;
use std::io::Read as _;
use trapline_wire::limits::BATCH_BYTES_MAX;

/// What was done to a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
}

impl Coding {
    /// As the headers say; `415` for one that is not known here.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let Some(named) = headers.get(header::CONTENT_ENCODING) else {
            return Ok(Self::Plain);
        };
        match named.as_bytes().to_ascii_lowercase().as_slice() {
            b"identity" => Ok(Self::Plain),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            _ => Err(refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "bad_coding",
                "`Content-Encoding` may be `gzip` or absent",
            )),
        }
    }

    /// The body as it was before; never more than a batch may have.
    pub(super) fn undo(self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        if self == Self::Plain {
            return Ok(bytes);
        }
        let bound = u64::try_from(BATCH_BYTES_MAX).unwrap_or(u64::MAX);
        let mut whole = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .take(bound.saturating_add(1))
            .read_to_end(&mut whole)
            .map_err(|error| bad_request(format!("the body is no gzip: {error}")))?;
        if whole.len() > BATCH_BYTES_MAX {
            return Err(too_large(format!(
                "the body unfolds to more than {BATCH_BYTES_MAX} bytes: send it in parts"
            )));
        }
        Ok(whole)
    }
}
