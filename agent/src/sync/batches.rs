//! Batches in the sync stage: what goes in one, and what becomes of it when its
//! answer came, did not come, or was a refusal.

use super::answers::Unanswered;
use super::fit::Sent;
use super::seek::Seek;
use super::uplink::UplinkError;
use super::{Sync, heartbeat, plan};
use crate::models;
use crate::stage::{Next, StageError};
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::Outgoing;
use trapline_wire::Sha256;
use trapline_wire::v1::SyncReply;

/// Batches in quick succession carry a heartbeat this often.
const HEARTBEAT_MIN: Duration = Duration::from_secs(10);

impl Sync {
    pub(super) async fn send_batch(&mut self, outgoing: Outgoing) -> Result<Next, StageError> {
        if let Some(unanswered) = self.unanswered.take() {
            return self.ask_again(unanswered).await;
        }
        let began = Instant::now();
        let sent = self.compose(outgoing).await?;
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let posted = self.flights.beside(uplink.post(sent.batch())).await;
        match posted {
            Ok(reply) => {
                let took = began.elapsed();
                self.batch_bytes = plan::next_batch_bytes(self.batch_bytes, sent.bytes(), took);
                self.answered(sent, reply, began).await
            }
            Err(error) => self.batch_failed(sent, error, began).await,
        }
    }

    /// What the answer says is written down.
    async fn answered(
        &mut self,
        sent: Outgoing,
        reply: SyncReply,
        began: Instant,
    ) -> Result<Next, StageError> {
        let records = sent.batch().records();
        let refused = u64::try_from(reply.refused.len()).unwrap_or(u64::MAX);
        let accounted = reply.stored.saturating_add(refused);
        if accounted != u64::try_from(records).unwrap_or(u64::MAX) {
            let error =
                UplinkError::Nonsense(format!("it accounts for {accounted} of {records} records"));
            return Err(self.not_heard(error));
        }
        for refusal in &reply.refused {
            log::warn!(
                id = refusal.id.as_str();
                "the server will never take record {}: {}", refusal.id, refusal.message
            );
        }
        self.heard(&reply);
        if sent.batch().heartbeat.is_some() {
            self.heartbeat_at = Some(began);
            self.heartbeat_is_stale = false;
            self.has_news = false;
        }
        models::heard(&self.desk, reply.model.as_ref()).await?;
        self.update.heard(&self.desk, reply.update.as_ref());
        // A receipt of the reply may be for a picture that has not set out yet.
        self.held.retain(|transit| {
            let of_this = |sha256| sha256 == transit.picture.sha256();
            !reply.receipts.iter().any(|receipt| of_this(receipt.sha256))
        });
        self.desk
            .books
            .with(move |ledger| {
                ledger.mark_records_stored(&sent, &reply.refused)?;
                for receipt in &reply.receipts {
                    ledger.mark_safe_by_receipt(receipt)?;
                }
                Ok(())
            })
            .await?;
        Ok(Next::Again)
    }

    async fn batch_failed(
        &mut self,
        sent: Outgoing,
        error: UplinkError,
        began: Instant,
    ) -> Result<Next, StageError> {
        if matches!(error, UplinkError::TooLarge(_)) {
            let held = Sent::of(&sent);
            if self.fit.was_too_large(held, &error) {
                log::info!(
                    records = held.records, bytes = held.bytes;
                    "{} records of {} bytes were too large, and less goes at a time from now on",
                    held.records, held.bytes
                );
                return Ok(Next::Again);
            }
        }
        if !matches!(error, UplinkError::Unreachable(_)) {
            return Err(self.not_heard(error));
        }
        self.batch_bytes = plan::next_batch_bytes(self.batch_bytes, 0, began.elapsed());
        self.unanswered = Unanswered::of(sent);
        if self.is_lost {
            return Err(self.not_heard(error));
        }
        match self.unanswered.take() {
            Some(unanswered) => self.ask_soon(unanswered, error, began).await,
            None => self.try_soon(error).await,
        }
    }

    /// A small batch goes again as soon as the link is back, within a while.
    async fn try_soon(&mut self, error: UplinkError) -> Result<Next, StageError> {
        let boot = self.desk.clock.stamp();
        let chance = || Seek::of(&Sha256::of(format!("{boot:?}").as_bytes()));
        let seek = self.seek.get_or_insert_with(chance);
        if seek.pause().await.is_some() {
            return Ok(Next::Again);
        }
        self.seek = None;
        self.lost();
        Err(self.not_heard(error))
    }

    /// The link broke before the answer: the server is asked for it as soon as it can be.
    async fn ask_soon(
        &mut self,
        unanswered: Unanswered,
        error: UplinkError,
        began: Instant,
    ) -> Result<Next, StageError> {
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let asking = unanswered.ask_soon(uplink.as_mut(), error);
        match self.flights.beside(asking).await {
            Ok(Some(reply)) => self.answered(unanswered.sent, reply, began).await,
            Ok(None) => Ok(Next::Again),
            Err(error) => {
                self.unanswered = Some(unanswered);
                self.lost();
                Err(self.not_heard(error))
            }
        }
    }

    /// A batch whose answer was lost some time ago is asked about before anything else is said.
    async fn ask_again(&mut self, unanswered: Unanswered) -> Result<Next, StageError> {
        let began = Instant::now();
        let Some(uplink) = self.uplink.as_mut() else {
            return Ok(Next::RestUntilWoken);
        };
        let asking = unanswered.ask(uplink.as_mut());
        match self.flights.beside(asking).await {
            Ok(Some(reply)) => self.answered(unanswered.sent, reply, began).await,
            Ok(None) => Ok(Next::Again),
            Err(error) => {
                self.unanswered = Some(unanswered);
                Err(self.not_heard(error))
            }
        }
    }

    /// What goes in one request: the records, with a heartbeat if one is due.
    async fn compose(&mut self, outgoing: Outgoing) -> Result<Outgoing, StageError> {
        let is_recent = |at: Instant| !outgoing.is_empty() && at.elapsed() < HEARTBEAT_MIN;
        if !self.has_news && self.heartbeat_at.is_some_and(is_recent) {
            return Ok(outgoing);
        }
        let mut heartbeat = heartbeat::now(&self.desk).await?;
        heartbeat.faults.truncate(self.fit.faults_max());
        let beside = if self.fit.is_narrow() {
            Outgoing::default()
        } else {
            outgoing
        };
        Ok(beside.with_heartbeat(heartbeat))
    }
}
