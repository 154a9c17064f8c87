//! Bytes of one request are added to an upload.
//!
//! What arrived before a cut is kept, unless the request has a checksum: then
//! its bytes wait in a file of their own until the checksum fits.

use super::checksum::{self, Checksum};
use super::finish::progress;
use super::turns::Turn;
use crate::blobs::chunk_of;
use crate::body::{self, Cut};
use crate::db::UploadRow;
use crate::problem::{Failure, disk_full, refuse, too_large};
use crate::state::State;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes that are read of a body that is refused, so that the refusal is heard.
const DRAINED_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes that arrived before a newer request lie at hand for this long.
const ARRIVED_WITHIN: Duration = Duration::from_millis(250);
/// An older request that still receives bytes stops after this long.
const ARRIVED_WITHIN_MAX: Duration = Duration::from_secs(5);

/// Where the bytes of one request go.
pub(super) struct Append {
    pub(super) state: State,
    pub(super) turn: Turn,
    pub(super) upload: UploadRow,
    pub(super) offset: u64,
    pub(super) checksum: Option<Checksum>,
}

enum Ended {
    Whole,
    Cut(Cut),
    TakenOver,
    TooLong,
}

impl Append {
    /// Adds the body's bytes; answers the new offset, which is safe on disk.
    pub(super) async fn run(mut self, mut body: Body) -> Result<u64, Failure> {
        let upload = self.upload.clone();
        let length = upload.length_bytes;
        let have = self
            .state
            .work(move |shared| {
                let have = progress(shared, &upload)?;
                let needed = shared.settings.free_bytes_min.saturating_add(length - have);
                if have < length && shared.blobs.free_bytes()? < needed {
                    return Err(disk_full());
                }
                Ok(have)
            })
            .await?;
        if have != self.offset {
            body::drain(body, DRAINED_BYTES_MAX).await;
            return Err(refuse(
                StatusCode::CONFLICT,
                "wrong_offset",
                format!("the server has {have} bytes of this upload: go on from there"),
            ));
        }
        let ended = self.receive(&mut body).await?;
        let apart = self.checksum.is_some();
        match ended {
            Ended::TooLong => {
                self.settle(if apart { Keep::Nothing } else { Keep::CutBack })
                    .await?;
                body::drain(body, DRAINED_BYTES_MAX).await;
                Err(too_large(format!(
                    "the body goes on after the upload's {length} bytes"
                )))
            }
            Ended::Whole => match self.checksum.take().map(Checksum::fits) {
                None => self.settle(Keep::AsWritten).await,
                Some(true) => self.settle(Keep::Chunk).await,
                Some(false) => {
                    self.settle(Keep::Nothing).await?;
                    Err(checksum::mismatch(
                        "the bytes of this request do not fit `Upload-Checksum`: send them again",
                    ))
                }
            },
            Ended::Cut(cut) => {
                self.settle(if apart {
                    Keep::Nothing
                } else {
                    Keep::AsWritten
                })
                .await?;
                Err(body::cut_off(cut))
            }
            Ended::TakenOver => {
                self.settle(if apart {
                    Keep::Nothing
                } else {
                    Keep::AsWritten
                })
                .await?;
                Err(refuse(
                    StatusCode::LOCKED,
                    "taken_over",
                    "a newer request goes on with this upload",
                ))
            }
        }
    }

    async fn receive(&mut self, body: &mut Body) -> Result<Ended, Failure> {
        let room = self.upload.length_bytes.saturating_sub(self.offset);
        let mut received = 0;
        let mut stop_at = None;
        loop {
            if self.turn.is_wanted() {
                let stop_at = *stop_at.get_or_insert_with(|| Instant::now() + ARRIVED_WITHIN_MAX);
                if Instant::now() >= stop_at {
                    return Ok(Ended::TakenOver);
                }
            }
            let chunk = tokio::select! {
                biased;
                chunk = body::next_chunk(body) => chunk,
                () = quiet_and_wanted(&self.turn) => return Ok(Ended::TakenOver),
            };
            let bytes = match chunk {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(Ended::Whole),
                Err(cut) => return Ok(Ended::Cut(cut)),
            };
            if received + bytes.len() as u64 > room {
                return Ok(Ended::TooLong);
            }
            let length = bytes.len() as u64;
            self.write(bytes, received).await?;
            received += length;
        }
    }

    async fn write(&mut self, bytes: Bytes, received: u64) -> Result<(), Failure> {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&bytes);
        }
        let apart = self.checksum.is_some();
        let (turn, upload_id) = (self.turn.clone(), self.upload.id.clone());
        let at = self.offset + received;
        self.state
            .work(move |shared| {
                // The turn ends with the job, not with a request that may be gone before.
                let _held = turn;
                if apart {
                    shared.blobs.write_chunk(&upload_id, received, &bytes)
                } else {
                    shared.blobs.write_upload(&upload_id, at, &bytes)
                }
            })
            .await
    }

    /// Makes what is kept of the request safe; answers the upload's new offset.
    async fn settle(&self, keep: Keep) -> Result<u64, Failure> {
        let (turn, upload, offset) = (self.turn.clone(), self.upload.clone(), self.offset);
        self.state
            .work(move |shared| {
                let _held = turn;
                let chunk = chunk_of(&upload.id);
                match keep {
                    Keep::AsWritten => {}
                    Keep::CutBack => shared.blobs.cut_upload(&upload.id, offset)?,
                    Keep::Chunk => shared.blobs.append_chunk(&upload.id, offset)?,
                    Keep::Nothing => shared.blobs.remove_upload(&chunk)?,
                }
                shared.writer().touch_upload(&upload.id, shared.now_ms())?;
                progress(shared, &upload)
            })
            .await
    }
}

/// Ends when a newer request waits and nothing came for a moment: what a broken
/// connection left in the system's buffers is still read.
async fn quiet_and_wanted(turn: &Turn) {
    turn.wanted().await;
    tokio::time::sleep(ARRIVED_WITHIN).await;
}

/// What becomes of a request's bytes.
enum Keep {
    AsWritten,
    CutBack,
    Chunk,
    Nothing,
}
