//! `Upload-Checksum`: the bytes of one request count whole or not at all.

use crate::problem::{Failure, bad_request, refuse};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

/// The algorithms, as `Tus-Checksum-Algorithm` lists them.
pub(super) const ALGORITHMS: &str = "sha256,sha1";

/// What the sender says the bytes of this request hash to, and the hash so far.
pub(super) struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

enum Hasher {
    Sha256(sha2::Sha256),
    Sha1(sha1::Sha1),
}

/// The checksum that the request names, if any.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Checksum>, Failure> {
    let Some(value) = super::headers::text(headers, "upload-checksum")? else {
        return Ok(None);
    };
    let bad = || bad_request("`Upload-Checksum` must be `sha256 <base64>` or `sha1 <base64>`");
    let (algorithm, encoded) = value.split_once(' ').ok_or_else(bad)?;
    let (hasher, length) = match algorithm {
        "sha256" => (Hasher::Sha256(sha2::Sha256::new()), 32),
        "sha1" => (Hasher::Sha1(sha1::Sha1::new()), 20),
        _ => return Err(bad()),
    };
    let expected = STANDARD.decode(encoded.trim()).map_err(|_| bad())?;
    if expected.len() != length {
        return Err(bad());
    }
    Ok(Some(Checksum { hasher, expected }))
}

impl Checksum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha1(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn fits(self) -> bool {
        match self.hasher {
            Hasher::Sha256(hasher) => hasher.finalize().as_slice() == self.expected,
            Hasher::Sha1(hasher) => hasher.finalize().as_slice() == self.expected,
        }
    }
}

/// `460`, tus's own status for bytes that are not what their checksum says.
pub(super) fn mismatch(message: &str) -> Failure {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    refuse(status, "checksum_mismatch", message)
}
