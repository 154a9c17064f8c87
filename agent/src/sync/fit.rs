//! What the way to the server lets through, learnt from what it did not. A
//! proxy may take less than the server; what was too large once is not sent
//! again at once, only now and then.

use super::uplink::UplinkError;
use std::time::Duration;
use tokio::time::Instant;
use trapline_store::{BatchLimits, Outgoing};
use trapline_wire::limits::FAULTS_MAX;

/// So long after something was too large, more is tried again.
const WIDER_AFTER: Duration = Duration::from_hours(6);

/// What one request held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Records, the heartbeat not counted.
    pub(super) records: usize,
    /// Their bytes of JSON.
    pub(super) bytes: usize,
    /// The faults of the heartbeat; `None` when it had none.
    pub(super) heartbeat_faults: Option<usize>,
}

impl Sent {
    pub(super) fn of(sent: &Outgoing) -> Self {
        let heartbeat = sent.batch().heartbeat.as_ref();
        Self {
            records: sent.batch().records(),
            bytes: sent.bytes(),
            heartbeat_faults: heartbeat.map(|heartbeat| heartbeat.faults.len()),
        }
    }
}

/// What fits.
#[derive(Debug)]
pub(super) struct Fit {
    limits: BatchLimits,
    faults_max: usize,
    /// When something was last too large; `None` while all that the wire allows may be sent.
    narrow_since: Option<Instant>,
    /// The server's words about the record that was too large alone.
    why: String,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            limits: BatchLimits::default(),
            faults_max: FAULTS_MAX,
            narrow_since: None,
            why: String::new(),
        }
    }
}

impl Fit {
    /// The limits of the next batch.
    pub(super) fn limits(&mut self) -> BatchLimits {
        let is_over = |since: Instant| since.elapsed() >= WIDER_AFTER;
        if self.narrow_since.is_some_and(is_over) {
            self.widen();
        }
        self.limits
    }

    /// Faults that the next heartbeat may hold.
    pub(super) fn faults_max(&self) -> usize {
        self.faults_max
    }

    /// Whether heartbeat and records go in requests of their own, so that
    /// neither makes the other too large.
    pub(super) fn is_narrow(&self) -> bool {
        self.narrow_since.is_some()
    }

    /// The server's words about the record that was too large alone.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// A request was too large; says whether less can be sent instead.
    pub(super) fn was_too_large(&mut self, sent: Sent, error: &UplinkError) -> bool {
        let can_be_less = match (sent.records, sent.heartbeat_faults) {
            (0, None | Some(0)) => false,
            (0, Some(faults)) => {
                self.faults_max = faults.min(self.faults_max) / 2;
                true
            }
            // Without the heartbeat it may fit.
            (1, Some(_)) => true,
            (1, None) => {
                self.limits.record_bytes_max = sent.bytes;
                self.why = error.to_string();
                true
            }
            (_, _) => {
                self.limits.bytes_max = self.limits.bytes_max.min(sent.bytes) / 2;
                true
            }
        };
        self.narrow_since = Some(Instant::now());
        can_be_less
    }

    fn widen(&mut self) {
        let all = BatchLimits::default();
        self.limits = BatchLimits {
            bytes_max: self.limits.bytes_max.saturating_mul(2).min(all.bytes_max),
            ..all
        };
        self.faults_max = FAULTS_MAX;
        let is_narrow = self.limits != all;
        self.narrow_since = is_narrow.then(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(records: usize, bytes: usize, heartbeat_faults: Option<usize>) -> Sent {
        Sent {
            records,
            bytes,
            heartbeat_faults,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_narrows_to_what_goes_through_and_widens_slowly() {
        let error = UplinkError::TooLarge("1 MiB".to_owned());
        let mut fit = Fit::default();
        assert!(fit.was_too_large(sent(100, 1_900_000, Some(3)), &error));
        assert_eq!(fit.limits().bytes_max, 950_000);
        assert!(fit.was_too_large(sent(0, 0, Some(3)), &error));
        assert_eq!(fit.faults_max(), 1);
        assert!(fit.was_too_large(sent(0, 0, Some(1)), &error));
        assert!(!fit.was_too_large(sent(0, 0, Some(0)), &error));
        assert!(fit.was_too_large(sent(1, 5000, None), &error));
        assert_eq!(fit.limits().record_bytes_max, 5000);
        tokio::time::advance(WIDER_AFTER).await;
        let wider = fit.limits();
        assert_eq!(
            (wider.bytes_max, wider.record_bytes_max),
            (1_900_000, usize::MAX)
        );
        assert!(fit.is_narrow(), "not yet all");
        tokio::time::advance(WIDER_AFTER).await;
        assert_eq!(
            (fit.limits(), fit.is_narrow()),
            (BatchLimits::default(), false)
        );
    }
}
