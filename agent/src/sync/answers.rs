//! Batches whose answer was lost: the server is asked for it by the batch's
//! SHA-256, which costs a few hundred bytes and not the batch again.

use super::seek::Seek;
use super::uplink::{Uplink, UplinkError};
use tokio::time::timeout;
use trapline_store::Outgoing;
use trapline_wire::Sha256;
use trapline_wire::v1::SyncReply;

/// A batch of fewer bytes is sent again, because the question would cost as much.
const WORTH_BYTES: usize = 1024;
/// A batch that may have arrived.
pub(super) struct Unanswered {
    pub(super) sent: Outgoing,
    name: Sha256,
}

impl Unanswered {
    /// Keeps a batch whose answer did not come; `None` when it is not worth the question.
    pub(super) fn of(sent: Outgoing) -> Option<Self> {
        if sent.bytes() < WORTH_BYTES {
            return None;
        }
        // The same bytes as went: lists and fields have one order.
        let json = serde_json::to_vec(sent.batch()).ok()?;
        let name = Sha256::of(&json);
        Some(Self { sent, name })
    }

    /// Asks once; `None` when the server has no answer to this batch.
    pub(super) async fn ask(
        &self,
        uplink: &mut dyn Uplink,
    ) -> Result<Option<SyncReply>, UplinkError> {
        uplink.batch_reply(&self.name).await
    }

    /// Asks until the link is back within a while; else the error of the last question.
    pub(super) async fn ask_soon(
        &self,
        uplink: &mut dyn Uplink,
        mut error: UplinkError,
    ) -> Result<Option<SyncReply>, UplinkError> {
        let mut seek = Seek::of(&self.name);
        while let Some(patience) = seek.pause().await {
            match timeout(patience, self.ask(uplink)).await {
                Err(_) => {}
                Ok(Err(failed @ UplinkError::Unreachable(_))) => error = failed,
                Ok(done) => return done,
            }
        }
        Err(error)
    }
}
