//! One picture on its way: where its upload stands, and one request at a time.

use super::uplink::{NewUpload, Uplink, UplinkError, Uploaded};
use trapline_store::Sendable;
use trapline_wire::v1::Receipt;

/// The picture that is on its way.
pub(super) struct Current {
    pub(super) picture: Sendable,
    pub(super) place: Place,
    pub(super) restarts: u32,
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

impl Current {
    /// One request for the current picture; the receipt, once it has come.
    pub(super) async fn transmit(
        &mut self,
        uplink: &mut dyn Uplink,
        bytes: Vec<u8>,
    ) -> Result<Option<Receipt>, UplinkError> {
        let picture = &self.picture;
        let done = match &self.place {
            Place::Unknown => {
                let status = uplink.picture_status(&picture.sha256()).await?;
                self.place = match status.upload {
                    Some(upload) => Place::At {
                        location: upload.location,
                        offset_bytes: upload.offset_bytes,
                    },
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
        self.place = Place::At {
            location: done.location,
            offset_bytes: done.offset_bytes,
        };
        Ok(done.receipt)
    }
}
