//! Pictures on their way to the server, and what a receipt proves.

use crate::error::{Halt, Returned, StoreError};
use crate::image_files;
use crate::ledger::text::clip;
use crate::ledger::{Ledger, View};
use crate::tokens::{NextPicture, Sendable};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;
use trapline_wire::v1::Receipt;
use trapline_wire::{CaptureId, Sha256};

/// Which of the waiting pictures goes first, among those that failed equally often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureOrder {
    /// The backlog drains in order.
    OldestFirst,
    /// The researcher sees today first.
    NewestFirst,
}

/// Which of the waiting pictures are left alone for now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassOver {
    /// These.
    pub captures: BTreeSet<CaptureId>,
    /// All that failed before: more of them than anyone wants to name.
    pub all_failed: bool,
}

/// What the ledger knows of one picture.
struct Known {
    capture: CaptureId,
    sha256: Sha256,
    size_bytes: u64,
    attempts: u32,
}

impl View {
    /// The picture of a capture, whole.
    ///
    /// # Errors
    /// [`Damaged`](StoreError::Damaged) when the card no longer holds what was
    /// admitted, [`Refused`](StoreError::Refused) when the capture is unknown
    /// or its picture was pruned, [`Io`](StoreError::Io) when the card refuses.
    pub fn picture(&self, capture: CaptureId) -> Result<Vec<u8>, StoreError> {
        let (known, state) = self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT seq, sha256, size_bytes, picture_attempts, picture
                 FROM captures WHERE seq = ?1 AND ?2",
            )?;
            let mut rows = statement.query(params![
                capture.seq,
                capture == self.capture_id(capture.seq)
            ])?;
            match rows.next()? {
                Some(row) => Ok((self.known(row)?, row.get::<_, String>(4)?)),
                None => Err(Halt::Rule(unknown(capture))),
            }
        })?;
        if state == "pruned" {
            return Err(StoreError::Refused {
                what: format!("the picture of capture {capture}"),
                reason: "it was removed from the card after the server had it".to_owned(),
            });
        }
        let file = self.layout().picture(capture);
        let damaged = |reason| StoreError::Damaged { capture, reason };
        let at = |error| StoreError::io(&file, error);
        let Some(found_bytes) = self.disk().size_bytes(&file).map_err(at)? else {
            return Err(damaged("the file is missing".to_owned()));
        };
        if found_bytes != known.size_bytes {
            return Err(damaged(image_files::wrong_size(
                found_bytes,
                known.size_bytes,
            )));
        }
        let len_bytes = usize::try_from(known.size_bytes).unwrap_or(usize::MAX);
        let bytes = self.disk().read_at(&file, 0, len_bytes).map_err(at)?;
        if Sha256::of(&bytes) != known.sha256 {
            return Err(damaged(
                "the file's bytes are not those that were admitted".to_owned(),
            ));
        }
        Ok(bytes)
    }

    /// Up to `len_bytes` of a picture from `offset_bytes` on; fewer bytes mean its end.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) when the card refuses or the file is gone.
    pub fn read_picture(
        &self,
        picture: &Sendable,
        offset_bytes: u64,
        len_bytes: usize,
    ) -> Result<Vec<u8>, StoreError> {
        let file = self.layout().picture(picture.capture);
        self.disk()
            .read_at(&file, offset_bytes, len_bytes)
            .map_err(|error| StoreError::io(&file, error))
    }

    /// Whether [`Ledger::next_picture`] has one to take up; its file is not looked at.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn picture_waits(&self, pass_over: &PassOver) -> Result<bool, StoreError> {
        let order = PictureOrder::NewestFirst;
        let next = self.read(|connection| self.waiting_picture(connection, order, pass_over))?;
        Ok(next.is_some())
    }

    fn known(&self, row: &Row<'_>) -> Result<Known, rusqlite::Error> {
        Ok(Known {
            capture: self.capture_id(row.get(0)?),
            sha256: Sha256::from_bytes(row.get(1)?),
            size_bytes: row.get(2)?,
            attempts: row.get(3)?,
        })
    }

    /// The picture to send next; see [`Ledger::next_picture`].
    fn waiting_picture(
        &self,
        connection: &Connection,
        order: PictureOrder,
        pass_over: &PassOver,
    ) -> Result<Option<Known>, Halt> {
        let direction = match order {
            PictureOrder::OldestFirst => "ASC",
            PictureOrder::NewestFirst => "DESC",
        };
        let mut statement = connection.prepare(&format!(
            "SELECT seq, sha256, size_bytes, picture_attempts FROM captures
             WHERE picture = 'on_card' AND record = 'stored'
             ORDER BY picture_attempts ASC, seq {direction}"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let known = self.known(row)?;
            if pass_over.all_failed && known.attempts > 0 {
                break;
            }
            if !pass_over.captures.contains(&known.capture) {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}

impl Ledger {
    /// Takes up the next picture that the server lacks and whose record it has,
    /// passing over those in `pass_over`.
    ///
    /// Those that failed least often come first, so one picture that the server
    /// cannot digest does not hold up the rest. The file is checked against its
    /// hash before it is handed out: what the card has spoilt is set aside as
    /// damaged and never sent in circles. A file that cannot be read is no
    /// error either, but one more failure of this picture: the card may give
    /// it back another time, and only the bytes could say that it is damaged.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card
    /// refuses the database.
    pub fn next_picture(
        &mut self,
        order: PictureOrder,
        pass_over: &PassOver,
    ) -> Result<NextPicture, StoreError> {
        let next = self.read(|connection| self.waiting_picture(connection, order, pass_over))?;
        let Some(known) = next else {
            return Ok(NextPicture::Nothing);
        };
        let file = self.layout().picture(known.capture);
        match image_files::difference(self.disk(), &file, known.sha256, known.size_bytes) {
            Ok(None) => Ok(NextPicture::Ready(Sendable {
                capture: known.capture,
                sha256: known.sha256,
                size_bytes: known.size_bytes,
                attempts: known.attempts,
            })),
            Ok(Some(reason)) => {
                self.write(|transaction| {
                    transaction.execute(
                        "UPDATE captures SET picture = 'damaged', picture_note = ?2
                         WHERE seq = ?1 AND picture = 'on_card'",
                        params![known.capture.seq, reason],
                    )?;
                    Ok(())
                })?;
                Ok(NextPicture::Damaged {
                    capture: known.capture,
                    reason,
                })
            }
            Err(error) => {
                let reason = error.to_string();
                self.picture_failed_once_more(known.capture, &reason)?;
                Ok(NextPicture::Unreadable {
                    capture: known.capture,
                    reason,
                    attempts: known.attempts,
                })
            }
        }
    }

    /// The server has proved that it holds this picture: it is safe.
    ///
    /// Other captures with the same content become safe with it.
    ///
    /// # Errors
    /// Gives the picture back: [`WrongReceipt`](StoreError::WrongReceipt) when
    /// the receipt is for another content, [`Full`](StoreError::Full) or
    /// [`Io`](StoreError::Io) when the card refuses.
    pub fn mark_received(
        &mut self,
        picture: Sendable,
        receipt: &Receipt,
    ) -> Result<(), Returned<Sendable>> {
        let wrong = if receipt.sha256 != picture.sha256 {
            Some(format!(
                "it is for SHA-256 {}, {} was sent",
                receipt.sha256, picture.sha256
            ))
        } else if receipt.size_bytes != picture.size_bytes {
            Some(format!(
                "it is for {} bytes, {} were sent",
                receipt.size_bytes, picture.size_bytes
            ))
        } else {
            None
        };
        let marked = match wrong {
            Some(reason) => Err(StoreError::WrongReceipt {
                capture: picture.capture,
                reason,
            }),
            None => self.mark_safe_by_receipt(receipt).map(drop),
        };
        marked.map_err(|error| Returned {
            token: picture,
            error,
        })
    }

    /// Applies a receipt that came unasked, as in the reply to a sync: every
    /// picture of that content is safe. Returns how many became so; 0 when none
    /// matches hash and size, which changes nothing.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn mark_safe_by_receipt(&mut self, receipt: &Receipt) -> Result<usize, StoreError> {
        let known = self.read(|connection| {
            Ok(connection.query_row(
                "SELECT count(*) FROM captures
                 WHERE sha256 = ?1 AND size_bytes = ?2 AND picture IN ('on_card', 'damaged')",
                params![receipt.sha256.as_bytes(), receipt.size_bytes],
                |row| row.get::<_, usize>(0),
            )?)
        })?;
        if known == 0 {
            return Ok(0);
        }
        self.write(|transaction| {
            Ok(transaction.execute(
                "UPDATE captures
                 SET picture = 'safe', picture_note = '', picture_attempts = 0, received_ms = ?3
                 WHERE sha256 = ?1 AND size_bytes = ?2 AND picture IN ('on_card', 'damaged')",
                params![
                    receipt.sha256.as_bytes(),
                    receipt.size_bytes,
                    receipt.stored_ms
                ],
            )?)
        })
    }

    /// The server refused this picture or got it wrong, or the card stopped
    /// giving it back; pictures that failed less often go first from now on.
    ///
    /// A link that broke is not the picture's fault: drop the token then, so
    /// that the upload goes on where it stopped.
    ///
    /// # Errors
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn picture_failed(&mut self, picture: Sendable, reason: &str) -> Result<(), StoreError> {
        let capture = picture.capture;
        drop(picture);
        self.picture_failed_once_more(capture, reason)
    }

    fn picture_failed_once_more(
        &mut self,
        capture: CaptureId,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE captures
                 SET picture_attempts = picture_attempts + 1, picture_note = ?2
                 WHERE seq = ?1 AND picture = 'on_card'",
                params![capture.seq, clip(reason)],
            )?;
            Ok(())
        })
    }
}

pub(super) fn unknown(capture: CaptureId) -> StoreError {
    StoreError::Refused {
        what: format!("capture {capture}"),
        reason: "this ledger has no such capture".to_owned(),
    }
}
