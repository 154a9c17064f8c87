//! The headers of tus, read and written.

use crate::db::{UploadRow, UploadState};
use crate::problem::{Failure, bad_request, too_large};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trapline_wire::Sha256;
use trapline_wire::limits::PICTURE_BYTES_MAX;
use trapline_wire::v1::Receipt;

/// The one version of tus that is spoken here.
pub(super) const TUS_VERSION: &str = "1.0.0";
pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const RECEIPT: HeaderName = HeaderName::from_static("trapline-receipt");
/// The type of the bytes of an upload.
pub(super) const OFFSET_OCTETS: &str = "application/offset+octet-stream";

/// What a new upload is to be.
pub(super) struct Creation {
    pub(super) length_bytes: u64,
    pub(super) sha256: Option<Sha256>,
}

/// Reads the headers of a creation.
pub(super) fn creation(headers: &HeaderMap) -> Result<Creation, Failure> {
    if headers.contains_key("upload-defer-length") {
        return Err(bad_request(
            "`Upload-Defer-Length` is not supported: say the size in `Upload-Length`",
        ));
    }
    if headers.contains_key("upload-concat") {
        return Err(bad_request("`Upload-Concat` is not supported"));
    }
    let length_bytes = number(headers, "upload-length")?;
    if length_bytes > PICTURE_BYTES_MAX {
        return Err(too_large(format!(
            "a picture has at most {PICTURE_BYTES_MAX} bytes"
        )));
    }
    let sha256 = match text(headers, "upload-metadata")? {
        None => None,
        Some(metadata) => metadata_sha256(metadata)?,
    };
    Ok(Creation {
        length_bytes,
        sha256,
    })
}

/// The value `sha256` of `Upload-Metadata`: comma-separated pairs `key base64`.
fn metadata_sha256(metadata: &str) -> Result<Option<Sha256>, Failure> {
    for pair in metadata.split(',') {
        let mut words = pair.split_ascii_whitespace();
        if words.next() != Some("sha256") {
            continue;
        }
        let bad = || bad_request("`sha256` in `Upload-Metadata` must be 64 hex digits in base64");
        let decoded = STANDARD
            .decode(words.next().unwrap_or_default())
            .map_err(|_| bad())?;
        let digits = String::from_utf8(decoded).map_err(|_| bad())?;
        return digits.parse().map(Some).map_err(|_| bad());
    }
    Ok(None)
}

/// A header that must be a whole number.
pub(super) fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, Failure> {
    text(headers, name)?
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| bad_request(format!("`{name}` must be given as a whole number")))
}

/// A header as text, if it is there.
pub(super) fn text<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, Failure> {
    headers
        .get(name)
        .map(|value| {
            value
                .to_str()
                .map_err(|_| bad_request(format!("`{name}` is no plain text")))
        })
        .transpose()
}

/// Whether the request's body is bytes of an upload.
pub(super) fn has_octets(headers: &HeaderMap) -> bool {
    headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes() == OFFSET_OCTETS.as_bytes())
}

/// Says how far the upload is, how long it is kept, and the receipt.
pub(super) fn describe(
    headers: &mut HeaderMap,
    upload: &UploadRow,
    offset: u64,
    receipt: Option<&Receipt>,
) {
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(offset));
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(upload.length_bytes));
    if upload.state == UploadState::Open && receipt.is_none() {
        expires(headers, upload);
    }
    if let Some(receipt) = receipt
        && let Ok(text) = serde_json::to_string(receipt)
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        headers.insert(RECEIPT, value);
    }
}

/// `Upload-Expires`, in the form of HTTP dates.
pub(super) fn expires(headers: &mut HeaderMap, upload: &UploadRow) {
    let expires_ms = upload.touched_ms.saturating_add(super::EXPIRES_MS);
    let value = jiff::Timestamp::from_millisecond(expires_ms)
        .and_then(|moment| {
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment)
        })
        .ok()
        .and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(value) = value {
        headers.insert(UPLOAD_EXPIRES, value);
    }
}
