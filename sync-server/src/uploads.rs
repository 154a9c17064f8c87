//! Pictures come in by tus 1.0.0: `/api/v1/uploads`.
//!
//! How far an upload has come is the length of its file, synced before it is
//! told. Requests for one upload take turns ([`turns`]); a newer request makes
//! an older one stop, because a trap that asks again has given the older one
//! up. Ended uploads keep their row for a while, so that a repeated request
//! gets the same answer.

mod append;
mod checksum;
mod finish;
mod headers;
mod requests;
pub(crate) mod turns;

pub(crate) use finish::make_thumbnail;
pub(crate) use requests::router;

use crate::db::{UploadRow, UploadState};
use crate::problem::{Failure, disk_full, not_found, refuse};
use crate::state::Shared;
use axum::http::StatusCode;
use trapline_wire::limits::UPLOAD_EXPIRES_HOURS;

/// Unfinished uploads of one trap; one more ends the longest untouched.
const OPEN_MAX: usize = 64;
/// Bytes that the unfinished uploads of one trap may come to.
const OPEN_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
const EXPIRES_MS: i64 = UPLOAD_EXPIRES_HOURS.cast_signed() * 3_600_000;

/// Ends what nobody touched for a week, and forgets ended uploads a week later.
pub(crate) fn expire(shared: &Shared) -> Result<(), Failure> {
    let now_ms = shared.now_ms();
    let mut db = shared.writer();
    for upload in db.uploads_untouched(now_ms - EXPIRES_MS)? {
        end(shared, &mut db, &upload)?;
        log::info!("upload {} expired unfinished", upload.id);
    }
    db.delete_ended_uploads(now_ms - EXPIRES_MS)
}

/// Removes files that belong to no open upload: what a cut left half-done.
pub(crate) fn remove_orphans(shared: &Shared) -> Result<(), Failure> {
    let db = shared.reader();
    for name in shared.blobs.upload_files()? {
        if !db.is_open_upload(&name)? {
            shared.blobs.remove_upload(&name)?;
        }
    }
    Ok(())
}

/// Row first, file second: a cut between leaves a file that [`remove_orphans`] finds.
fn end(shared: &Shared, db: &mut crate::db::Db, upload: &UploadRow) -> Result<(), Failure> {
    db.forget_upload(&upload.id, shared.now_ms())?;
    shared.blobs.remove_upload(&upload.id)?;
    shared
        .blobs
        .remove_upload(&crate::blobs::chunk_of(&upload.id))
}

/// This trap's upload, expired or not; another trap's is not found.
fn find(shared: &Shared, trap: i64, id: &str) -> Result<UploadRow, Failure> {
    shared
        .reader()
        .upload(trap, id)?
        .ok_or_else(|| not_found("this trap has no such upload: create it again"))
}

/// Refuses an upload that ended without a picture, or should have.
fn still_there(shared: &Shared, upload: &UploadRow) -> Result<(), Failure> {
    let gone = || {
        refuse(
            StatusCode::GONE,
            "gone",
            "this upload was ended, thrown away or untouched for seven days: create it again",
        )
    };
    let expired = upload.touched_ms < shared.now_ms() - EXPIRES_MS;
    match upload.state {
        UploadState::Gone => Err(gone()),
        UploadState::Open if expired => {
            end(shared, &mut shared.writer(), upload)?;
            Err(gone())
        }
        UploadState::Open | UploadState::Done => Ok(()),
    }
}

/// Starts an upload of `length_bytes`; the trap's longest untouched ones end
/// when there are too many. The same picture announced twice, with nothing sent
/// between, is one upload.
fn create(
    shared: &Shared,
    trap: i64,
    length_bytes: u64,
    sha256: Option<trapline_wire::Sha256>,
) -> Result<UploadRow, Failure> {
    expire(shared)?;
    if shared.blobs.free_bytes()? < shared.settings.free_bytes_min.saturating_add(length_bytes) {
        return Err(disk_full());
    }
    let mut db = shared.writer();
    let mut open = db.open_uploads(trap)?;
    if let Some(again) = open.iter().find(|upload| {
        sha256.is_some() && upload.sha256 == sha256 && upload.length_bytes == length_bytes
    }) && shared.blobs.synced_bytes(&again.id)? == Some(0)
    {
        return Ok(again.clone());
    }
    let mut open_bytes: u64 = open.iter().map(|upload| upload.length_bytes).sum();
    open.reverse();
    while (open.len() >= OPEN_MAX || open_bytes + length_bytes > OPEN_BYTES_MAX)
        && let Some(oldest) = open.pop()
    {
        end(shared, &mut db, &oldest)?;
        open_bytes -= oldest.length_bytes;
        log::warn!("too many unfinished uploads: {} was ended", oldest.id);
    }
    let id: String = shared
        .random::<16>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let upload = UploadRow {
        id,
        trap,
        length_bytes,
        sha256,
        state: UploadState::Open,
        touched_ms: shared.now_ms(),
    };
    // File first, row second: a row without a file would look like a file already named.
    shared.blobs.start_upload(&upload.id)?;
    db.add_upload(&upload)?;
    Ok(upload)
}
