//! One picture on its way: where its upload stands, one request at a time, and
//! finding it again after a cut.

use super::seek::Seek;
use super::uplink::{NewUpload, Uplink, UplinkError, Uploaded};
use tokio::time::timeout;
use trapline_store::Sendable;
use trapline_wire::v1::Receipt;

/// So many pieces in a row of which nothing arrived are no matter of a cut.
const FRUITLESS_MAX: u32 = 3;

/// The picture that is on its way.
pub(super) struct Transit {
    pub(super) picture: Sendable,
    pub(super) place: Place,
    pub(super) restarts: u32,
    /// The most bytes that the server ever said it has.
    proved_bytes: u64,
    /// Pieces in a row that broke off, and of which nothing arrived.
    pub(super) fruitless: u32,
    /// The last request broke off, so its time says nothing of the link.
    pub(super) was_cut: bool,
}

/// Where its upload stands.
pub(super) enum Place {
    /// The server has to be asked.
    Unknown,
    /// The server has nothing of it.
    New,
    /// The server has bytes of it.
    At { location: String, offset_bytes: u64 },
}

impl Transit {
    pub(super) fn new(picture: Sendable, place: Place) -> Self {
        Self {
            picture,
            place,
            restarts: 0,
            proved_bytes: 0,
            fruitless: 0,
            was_cut: false,
        }
    }

    /// One request, and if it breaks off, the question where the upload stands, as soon as the link
    /// is back within a while; the receipt, once it has come. Without `seeks` a cut is an error at once.
    pub(super) async fn carry(
        &mut self,
        uplink: &mut dyn Uplink,
        bytes: Vec<u8>,
        seeks: bool,
    ) -> Result<Option<Receipt>, UplinkError> {
        self.was_cut = false;
        let done = self.transmit(uplink, bytes).await;
        match done {
            Err(error @ UplinkError::Unreachable(_)) => {
                self.was_cut = true;
                self.place = Place::Unknown;
                self.fruitless += 1;
                if !seeks || self.fruitless >= FRUITLESS_MAX {
                    return Err(error);
                }
                self.find(uplink, error).await
            }
            done => done,
        }
    }

    /// Asks until the link is back; the last error when that takes too long.
    async fn find(
        &mut self,
        uplink: &mut dyn Uplink,
        mut error: UplinkError,
    ) -> Result<Option<Receipt>, UplinkError> {
        let mut seek = Seek::of(&self.picture.sha256());
        while let Some(patience) = seek.pause().await {
            match timeout(patience, self.transmit(uplink, Vec::new())).await {
                Err(_) => {}
                Ok(Err(failed @ UplinkError::Unreachable(_))) => error = failed,
                Ok(done) => return done,
            }
        }
        Err(error)
    }

    /// One request for the picture; the receipt, once it has come.
    async fn transmit(
        &mut self,
        uplink: &mut dyn Uplink,
        bytes: Vec<u8>,
    ) -> Result<Option<Receipt>, UplinkError> {
        let picture = &self.picture;
        let done = match &self.place {
            Place::Unknown => {
                let status = uplink.picture_status(&picture.sha256()).await?;
                self.place = match status.upload {
                    Some(upload) => {
                        self.proved(upload.offset_bytes);
                        Place::At {
                            location: upload.location,
                            offset_bytes: upload.offset_bytes,
                        }
                    }
                    None => Place::New,
                };
                return Ok(status.receipt);
            }
            Place::New => {
                let new = NewUpload {
                    sha256: picture.sha256(),
                    size_bytes: picture.size_bytes(),
                    file_name: format!("{}.jpg", picture.capture()),
                };
                uplink.create(&new, bytes).await?
            }
            Place::At {
                location,
                offset_bytes,
            } => uplink.append(location, *offset_bytes, bytes).await?,
        };
        self.progress(done)
    }

    fn proved(&mut self, offset_bytes: u64) {
        if offset_bytes > self.proved_bytes {
            self.proved_bytes = offset_bytes;
            self.fruitless = 0;
        }
    }

    fn progress(&mut self, done: Uploaded) -> Result<Option<Receipt>, UplinkError> {
        let size_bytes = self.picture.size_bytes();
        if done.offset_bytes > size_bytes {
            let why = format!(
                "an upload of {size_bytes} bytes stands at {}",
                done.offset_bytes
            );
            return Err(UplinkError::Nonsense(why));
        }
        if done.receipt.is_none() && done.offset_bytes == size_bytes {
            let why = "it has all bytes but gives no receipt".to_owned();
            return Err(UplinkError::Nonsense(why));
        }
        self.proved(done.offset_bytes);
        self.place = Place::At {
            location: done.location,
            offset_bytes: done.offset_bytes,
        };
        Ok(done.receipt)
    }
}
