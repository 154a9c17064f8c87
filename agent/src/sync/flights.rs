//! Requests that are under way beside each other: while the server proves one
//! picture, the next one already uses the link.

use super::transit::Transit;
use super::uplink::{Uplink, UplinkError};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use trapline_wire::v1::Receipt;
use trapline_wire::{CaptureId, Sha256};

/// Two keep a link busy: one sends while the other waits for its answer.
const FLIGHTS_MAX: usize = 2;
/// Two that leave closer together than this would land together, and leave the link idle then.
const TOGETHER: Duration = Duration::from_millis(500);

/// A request that ended.
pub(super) struct Landed {
    pub(super) transit: Transit,
    pub(super) outcome: Result<Option<Receipt>, UplinkError>,
    /// How long it was under way.
    pub(super) took: Duration,
    /// It carried bytes of the picture.
    pub(super) had_bytes: bool,
}

impl Landed {
    /// Sends one piece.
    pub(super) async fn by(
        uplink: &mut dyn Uplink,
        mut transit: Transit,
        bytes: Vec<u8>,
        seeks: bool,
    ) -> Self {
        let had_bytes = !bytes.is_empty();
        let began = Instant::now();
        let outcome = transit.carry(uplink, bytes, seeks).await;
        Self {
            transit,
            outcome,
            took: began.elapsed(),
            had_bytes,
        }
    }
}

/// What is under way. Dropping it breaks all of it off, which does no harm.
#[derive(Default)]
pub(super) struct Flights {
    aloft: Vec<Aloft>,
    landed: Vec<Landed>,
    left_at: Option<Instant>,
}

struct Aloft {
    capture: CaptureId,
    sha256: Sha256,
    work: Pin<Box<dyn Future<Output = Landed> + Send>>,
}

impl Flights {
    pub(super) fn is_empty(&self) -> bool {
        self.aloft.is_empty() && self.landed.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.aloft.len() + self.landed.len() < FLIGHTS_MAX
    }

    /// Whose pictures are under way.
    pub(super) fn captures(&self) -> impl Iterator<Item = CaptureId> {
        let landed = self.landed.iter().map(|it| it.transit.picture.capture());
        self.aloft.iter().map(|it| it.capture).chain(landed)
    }

    /// Breaks all off; the pictures of which the server may have more than we know.
    pub(super) fn into_pictures(self) -> impl Iterator<Item = Sha256> {
        let landed = self
            .landed
            .into_iter()
            .map(|it| it.transit.picture.sha256());
        self.aloft.into_iter().map(|it| it.sha256).chain(landed)
    }

    /// Whether another one left just now; then the next should be shorter.
    pub(super) fn left_just_now(&self) -> bool {
        let is_recent = |at: Instant| at.elapsed() < TOGETHER;
        !self.aloft.is_empty() && self.left_at.is_some_and(is_recent)
    }

    /// Sends a piece over a way of its own.
    pub(super) fn start(
        &mut self,
        mut lane: Box<dyn Uplink>,
        transit: Transit,
        bytes: Vec<u8>,
        seeks: bool,
    ) {
        self.left_at = Some(Instant::now());
        self.aloft.push(Aloft {
            capture: transit.picture.capture(),
            sha256: transit.picture.sha256(),
            work: Box::pin(async move { Landed::by(lane.as_mut(), transit, bytes, seeks).await }),
        });
    }

    /// The next one to end; never, if there is none.
    pub(super) async fn landing(&mut self) -> Landed {
        poll_fn(|context| {
            self.poll(context);
            match self.landed.pop() {
                Some(landed) => Poll::Ready(landed),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Does other work while they go on.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(move |context| {
            self.poll(context);
            work.as_mut().poll(context)
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        for mut aloft in std::mem::take(&mut self.aloft) {
            // Out of the list while it is polled: one that panics is not polled again.
            match aloft.work.as_mut().poll(context) {
                Poll::Ready(landed) => self.landed.push(landed),
                Poll::Pending => self.aloft.push(aloft),
            }
        }
    }
}
