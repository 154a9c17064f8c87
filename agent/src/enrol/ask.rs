//! Asking the server, before the first sync and whenever its answer is in doubt.

use super::kept::{Enrolled, Kept, Parked};
use super::{EnrolState, Order};
use crate::desk::Desk;
use crate::stage::Next;
use crate::sync::uplink::{Uplink, UplinkError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trapline_store::Ledger;
use trapline_wire::v1::{
    EnrolAnswer, EnrolPlace, EnrolReply, EnrolRequest, Hardware, SignedEnrolment,
};
use trapline_wire::{EnrolToken, LedgerId, TrapKey};

/// The part that a fault of enrolment is filed under.
pub const PART: &str = "enrol";
/// Somebody may stand beside a trap that waits, so at first it asks this often.
const PENDING_FIRST: Duration = Duration::from_secs(15);
/// A trap that waits long asks this often.
const PENDING_MAX: Duration = Duration::from_mins(5);
/// So many asks from step to step between the two.
const PENDING_ASKS: u32 = 20;
/// A parked trap asks this often whether somebody has decided.
const PARKED_EVERY: Duration = Duration::from_mins(5);

/// 32 random bytes; `None` when there are none.
pub type Draw = Box<dyn FnMut() -> Option<[u8; 32]> + Send>;

/// What the settings say of it.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The server's address.
    pub url: String,
    /// The token on the card.
    pub token: Option<EnrolToken>,
    /// What people call the trap, if they said so.
    pub name: Option<String>,
    /// Where it stands.
    pub place: Option<EnrolPlace>,
}

/// The trap's side of its enrolment, part of the sync stage.
pub struct Enrol {
    kept: Kept,
    dir: PathBuf,
    wishes: Wishes,
    hardware: Hardware,
    draw: Draw,
    /// Asks in a row that a person had not answered.
    unanswered: u32,
}

impl fmt::Debug for Enrol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrol")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Enrol {
    /// With the identity that is kept in the folder `dir`, on this hardware.
    #[must_use]
    pub fn new(kept: Kept, dir: &Path, wishes: Wishes, hardware: Hardware, draw: Draw) -> Self {
        Self {
            kept,
            dir: dir.to_owned(),
            wishes,
            hardware,
            draw,
            unanswered: 0,
        }
    }

    /// The key that the trap shows the server.
    #[must_use]
    pub fn trap_key(&self) -> TrapKey {
        self.kept.identity().trap_key()
    }

    /// Says how it stands before the server was asked.
    pub(crate) fn introduce(&self, desk: &Desk) {
        let facts = self.kept.facts(&self.wishes.url);
        if let Some(parked) = &self.kept.parked {
            desk.health.raise(PART, &parked.why, parked.since_ms);
        }
        desk.health.note(|all| all.enrolment = Some(facts));
    }

    /// Asks, unless the trap is enrolled; `None` when it is and may deliver.
    pub(crate) async fn step(
        &mut self,
        desk: &Desk,
        uplink: &mut dyn Uplink,
    ) -> Result<Option<Next>, UplinkError> {
        self.obey(desk, uplink).await;
        if self.kept.facts(&self.wishes.url).state == EnrolState::Enrolled {
            return Ok(None);
        }
        let reply = self.ask(uplink).await?;
        let rest = match reply.answer {
            EnrolAnswer::Enrolled { name, .. } => {
                log::info!("the server knows this trap as {name:?}");
                self.kept.enrolled = Some(Enrolled {
                    url: self.wishes.url.clone(),
                    name,
                });
                self.settle();
                desk.health.clear(PART);
                Next::Again
            }
            EnrolAnswer::Pending { .. } => self.wait_for_people(desk),
            EnrolAnswer::Parked { message } => {
                self.park(desk, message).await;
                return Ok(Some(Next::Rest(PARKED_EVERY)));
            }
            EnrolAnswer::Anew {} => {
                self.anew(desk, uplink).await;
                return Ok(Some(Next::Again));
            }
        };
        self.keep(desk).await;
        let mut facts = self.kept.facts(&self.wishes.url);
        if matches!(rest, Next::Rest(_)) && facts.state == EnrolState::Asking {
            facts.state = EnrolState::Pending;
        }
        desk.health.note(|all| all.enrolment = Some(facts));
        Ok(Some(rest))
    }

    /// The server refused the key: it may have lost the trap with its disk, so the trap asks.
    pub(crate) fn doubt(&mut self) {
        self.kept.enrolled = None;
    }

    /// Nothing is delivered any more until a person has decided.
    pub(crate) async fn park(&mut self, desk: &Desk, why: String) {
        let now_ms = desk.clock.stamp().unix_ms;
        let known = self.kept.parked.as_ref();
        if known.is_none() && !self.take_name(desk).await {
            return;
        }
        let (since_ms, original) = match self.kept.parked.take() {
            Some(parked) => (parked.since_ms, parked.original),
            None => (now_ms, None),
        };
        self.kept.parked = Some(Parked {
            since_ms,
            why,
            original,
        });
        self.keep(desk).await;
        self.introduce(desk);
    }

    async fn obey(&mut self, desk: &Desk, uplink: &mut dyn Uplink) {
        match desk.enrol_orders.take() {
            None | Some(Order::Ask) => {}
            Some(Order::Anew) => self.anew(desk, uplink).await,
            Some(Order::Same) => {
                self.kept.replaces_card = true;
                self.keep(desk).await;
            }
        }
    }

    /// The server said that this card is the trap.
    fn settle(&mut self) {
        self.kept.parked = None;
        self.kept.replaces_card = false;
        self.kept.hardware = self.hardware.clone();
        self.unanswered = 0;
    }

    async fn anew(&mut self, desk: &Desk, uplink: &mut dyn Uplink) {
        let Some(seed) = (self.draw)() else {
            log::error!("no random numbers for a new identity");
            return;
        };
        // First the ledger: a cut between the two leaves a parked card, which is asked about again.
        if self.kept.parked.is_some()
            && let Err(error) = desk.books.with(Ledger::disown).await
        {
            log::warn!(
                "this card cannot become a trap of its own: {}",
                error.in_full()
            );
            return;
        }
        self.kept = Kept::new(seed, self.hardware.clone());
        self.unanswered = 0;
        self.keep(desk).await;
        uplink.use_key(&self.trap_key());
        desk.health.clear(PART);
        self.introduce(desk);
        log::info!("this card is a trap of its own from now on");
    }

    /// Another card may be writing under the ledger's name, so from here on it has another.
    async fn take_name(&mut self, desk: &Desk) -> bool {
        let Some([a, b, c, d, ..]) = (self.draw)() else {
            return false;
        };
        let id = LedgerId(u32::from_be_bytes([a, b, c, d]));
        let now_ms = desk.clock.stamp().unix_ms;
        let taken = desk.books.with(move |ledger| ledger.take_name(id, now_ms));
        match taken.await {
            Ok(()) => true,
            Err(error) => {
                log::warn!("the ledger cannot take a new name: {}", error.in_full());
                false
            }
        }
    }

    fn wait_for_people(&mut self, desk: &Desk) -> Next {
        let facts = self.kept.facts(&self.wishes.url);
        let words = format!(
            "waits to be accepted: code {}; accept it at {}, page Enrolment",
            facts.code, facts.server
        );
        desk.health.raise(PART, &words, desk.clock.stamp().unix_ms);
        let steps = 1 + self.unanswered / PENDING_ASKS;
        self.unanswered = self.unanswered.saturating_add(1);
        Next::Rest(PENDING_FIRST.saturating_mul(steps).min(PENDING_MAX))
    }

    async fn ask(&mut self, uplink: &mut dyn Uplink) -> Result<EnrolReply, UplinkError> {
        let nonce = (self.draw)().unwrap_or_default();
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let identity = self.kept.identity();
        let parked = self.kept.parked.as_ref();
        let request = EnrolRequest {
            public_key: identity.public_key(),
            key_sha256: identity.trap_key().fingerprint(),
            token: self.wishes.token.clone(),
            name: self.wishes.name.clone(),
            place: self.wishes.place,
            hardware: self.hardware.clone(),
            copied_from: parked.and_then(|parked| parked.original.clone()),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            nonce: nonce.clone(),
            replaces_card: self.kept.replaces_card,
        };
        let asking = serde_json::to_string(&request)
            .map_err(|error| UplinkError::Nonsense(format!("the request has no JSON: {error}")))?;
        let signature = identity.sign(&asking);
        let reply = uplink.enrol(&SignedEnrolment { asking, signature }).await?;
        if reply.nonce != nonce {
            let why = "it answers another request than this one".to_owned();
            return Err(UplinkError::Nonsense(why));
        }
        Ok(reply)
    }

    /// Writes down what was decided; what cannot be written is asked for again next time.
    async fn keep(&mut self, desk: &Desk) {
        let (kept, dir) = (self.kept.clone(), self.dir.clone());
        let written = desk.hands.run(move || kept.write(&dir)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("the identity cannot be written down: {error}"),
            Err(panicked) => log::warn!("the identity was not written down: {}", panicked.0),
        }
    }
}
