//! A whole upload becomes a picture, and its sender gets the receipt.
//!
//! The order, each step safe before the next: the file is synced, read back and
//! hashed; the row learns the hash; the file gets its name; the folder is
//! synced; the row of the picture is committed; the receipt is told. A cut
//! between any two is repaired by the next question for the upload.

use super::{checksum, end};
use crate::db::{StoredPicture, UploadRow, UploadState};
use crate::problem::Failure;
use crate::state::Shared;
use crate::thumbnail;
use std::sync::PoisonError;
use trapline_wire::Sha256;
use trapline_wire::v1::Receipt;

/// Bytes of the upload that are safe on disk.
pub(super) fn progress(shared: &Shared, upload: &UploadRow) -> Result<u64, Failure> {
    if upload.state == UploadState::Done {
        return Ok(upload.length_bytes);
    }
    if let Some(bytes) = shared.blobs.synced_bytes(&upload.id)? {
        return Ok(bytes.min(upload.length_bytes));
    }
    // The file has its second name already, or somebody removed it.
    if let Some(sha256) = &upload.sha256
        && let Some((_, size_bytes)) = shared.blobs.picture(sha256)?
        && size_bytes == upload.length_bytes
    {
        return Ok(size_bytes);
    }
    shared.blobs.start_upload(&upload.id)?;
    Ok(0)
}

/// The receipt, if the upload has all its bytes: made now, or found.
pub(super) fn receipt(
    shared: &Shared,
    upload: &UploadRow,
    have_bytes: u64,
) -> Result<Option<Receipt>, Failure> {
    if upload.state == UploadState::Done {
        return match &upload.sha256 {
            Some(sha256) => shared.reader().receipt(upload.trap, sha256),
            None => Ok(None),
        };
    }
    if have_bytes < upload.length_bytes {
        return Ok(None);
    }
    finish(shared, upload).map(Some)
}

fn finish(shared: &Shared, upload: &UploadRow) -> Result<Receipt, Failure> {
    let Some(sha256) = name_file(shared, upload)? else {
        end(shared, &mut shared.writer(), upload)?;
        log::warn!(
            "upload {} is not the picture that it was announced as",
            upload.id
        );
        return Err(checksum::mismatch(
            "the picture does not have the announced SHA-256: it was thrown away, send it again",
        ));
    };
    let readable = match make_thumbnail(shared, &sha256) {
        Ok(()) => true,
        Err(reason) => {
            log::warn!("picture {sha256} is stored, but cannot be shown: {reason}");
            false
        }
    };
    let picture = StoredPicture {
        receipt: Receipt {
            sha256,
            size_bytes: upload.length_bytes,
            stored_ms: shared.now_ms(),
        },
        readable,
    };
    shared
        .writer()
        .store_picture(upload.trap, &upload.id, &picture)
}

/// Gives the upload's file its name as a picture; `None` when it is not what was announced.
fn name_file(shared: &Shared, upload: &UploadRow) -> Result<Option<Sha256>, Failure> {
    let Some(found) = shared.blobs.hash_upload(&upload.id)? else {
        // A cut came after the naming and before the commit.
        return match upload.sha256 {
            Some(named) if shared.blobs.hash_picture(&named)? == Some(named) => Ok(Some(named)),
            _ => Ok(None),
        };
    };
    match upload.sha256 {
        Some(announced) if announced != found => return Ok(None),
        Some(_) => {}
        None => shared.writer().name_upload(&upload.id, &found)?,
    }
    shared.blobs.adopt(&upload.id, &found)?;
    Ok(Some(found))
}

/// Makes the thumbnail, if there is none; says why it cannot be made.
pub(crate) fn make_thumbnail(shared: &Shared, sha256: &Sha256) -> Result<(), String> {
    let words = |failure: Failure| failure.to_string();
    if shared.blobs.thumbnail(sha256).map_err(words)?.is_some() {
        return Ok(());
    }
    let _one_at_a_time = shared
        .decoding
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(picture) = shared.blobs.picture_bytes(sha256).map_err(words)? else {
        return Err("it is not here".to_owned());
    };
    let jpeg = thumbnail::of(&picture)?;
    shared.blobs.keep_thumbnail(sha256, &jpeg).map_err(words)
}
