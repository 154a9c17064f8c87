//! The way from a trap to its server, in process and as bad as a valley: it
//! loses requests before the server and answers after it, breaks off bodies,
//! is slow, and meets a server that restarts.
//!
//! What the server sees are real HTTP requests to the real router; only the
//! bytes between are not put on a wire.

pub mod hub;
mod request;

use crate::chance::Chance;
use crate::devices::SharedScene;
use crate::tally::Tally;
use crate::trace::Trace;
use async_trait::async_trait;
use axum::http::Request;
use hub::{Hub, NoServer};
use request::{Answer, Method};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use trapline_agent::sync::uplink::{NewUpload, Shelf, Uplink, UplinkError, Uploaded};
use trapline_wire::v1::{PictureStatus, SyncBatch, SyncReply};
use trapline_wire::{Sha256, TrapKey};

/// How often each thing happens to a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lossy {
    /// Lost before the server.
    pub request: f64,
    /// Broken off in the middle of the body.
    pub body: f64,
    /// Done, but the answer is lost.
    pub answer: f64,
    /// Delivered twice.
    pub twice: f64,
    /// Answered with a 5xx by something in front of the server.
    pub unwell: f64,
    /// So slow that the trap gives up, before or after the server did its work.
    pub stalled: f64,
}

impl Default for Lossy {
    fn default() -> Self {
        Self {
            request: 0.04,
            body: 0.03,
            answer: 0.05,
            twice: 0.02,
            unwell: 0.01,
            stalled: 0.01,
        }
    }
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Through,
    LostRequest,
    CutBody,
    LostAnswer,
    Twice,
    Unwell,
    StalledBefore,
    StalledAfter,
}

impl Fate {
    fn draw(lossy: &Lossy, chance: &mut Chance) -> Self {
        let mut place = chance.unit();
        for (share, fate) in [
            (lossy.request, Self::LostRequest),
            (lossy.body, Self::CutBody),
            (lossy.answer, Self::LostAnswer),
            (lossy.twice, Self::Twice),
            (lossy.unwell, Self::Unwell),
            (lossy.stalled / 2.0, Self::StalledBefore),
            (lossy.stalled / 2.0, Self::StalledAfter),
        ] {
            if place < share {
                return fate;
            }
            place -= share;
        }
        Self::Through
    }
}

/// What a link needs to know of the world around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The trap.
    pub scene: SharedScene,
    /// The server.
    pub hub: Arc<Hub>,
    /// Counts what goes wrong.
    pub tally: Arc<Tally>,
    /// Writes down what happens.
    pub trace: Arc<Trace>,
    /// How bad it is, until the season is over; after that it is good.
    pub lossy: Lossy,
    /// The longest time of a request.
    pub patience: Duration,
}

/// A trap's uplink to the server in the same process.
pub struct SimLink {
    around: Surroundings,
    key: TrapKey,
    chance: Chance,
    bytes_per_ms: u64,
}

impl fmt::Debug for SimLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimLink").finish_non_exhaustive()
    }
}

impl SimLink {
    /// The link of one boot of a trap.
    #[must_use]
    pub fn new(around: Surroundings, key: TrapKey, mut chance: Chance) -> Self {
        Self {
            bytes_per_ms: 4 + chance.below(40),
            around,
            key,
            chance,
        }
    }

    async fn call(&mut self, method: Method<'_>, body: Vec<u8>) -> Result<Answer, UplinkError> {
        let patience = self.around.patience;
        let name = method.name();
        let bytes = body.len();
        let done = timeout(patience, self.try_call(method, body)).await;
        let done = done.unwrap_or_else(|_| {
            self.around.tally.add(|counts| counts.timeouts += 1);
            Err(UplinkError::Unreachable("no answer in time".to_owned()))
        });
        let outcome = match &done {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(error) => error.to_string(),
        };
        let scene = &self.around.scene;
        let words = format!("{name} {bytes} -> {outcome}");
        self.around
            .trace
            .note(scene.time.now_ms(), scene.trap, &words);
        done
    }

    async fn try_call(&mut self, method: Method<'_>, body: Vec<u8>) -> Result<Answer, UplinkError> {
        let around = self.around.clone();
        let tally = &around.tally;
        let lost = |why: &str| Err(UplinkError::Unreachable(why.to_owned()));
        let now_ms = around.scene.time.now_ms();
        tally.add(|counts| counts.requests += 1);
        if around.scene.world.radio_silence.at(now_ms).is_some() {
            tally.add(|counts| counts.no_signal += 1);
            sleep(Duration::from_secs(20)).await;
            return lost("no signal");
        }
        let is_calm = now_ms >= around.scene.world.season().until_ms;
        let fate = if is_calm {
            Fate::Through
        } else {
            Fate::draw(&around.lossy, &mut self.chance)
        };
        sleep(self.way(body.len())).await;
        let forever = std::future::pending::<()>();
        match fate {
            Fate::LostRequest => {
                tally.add(|counts| counts.lost_requests += 1);
                sleep(Duration::from_millis(500 + self.chance.below(9_000))).await;
                return lost("the connection was reset");
            }
            Fate::Unwell => {
                tally.add(|counts| counts.unwell += 1);
                return Err(UplinkError::Unwell {
                    status: 502,
                    message: "<html>Bad Gateway</html>".to_owned(),
                    retry_after: self.chance.happens(0.5).then_some(Duration::from_secs(30)),
                });
            }
            Fate::StalledBefore => forever.await,
            Fate::CutBody => {
                let share = self.chance.unit();
                let request = method.request(&self.key, body, Some(share));
                drop(self.deliver(request).await?);
                tally.add(|counts| counts.cut_bodies += 1);
                return lost("the connection broke while sending");
            }
            Fate::Twice => {
                let first = method.request(&self.key, body.clone(), None);
                drop(self.deliver(first).await?);
                tally.add(|counts| counts.twice += 1);
            }
            Fate::Through | Fate::LostAnswer | Fate::StalledAfter => {}
        }
        let request = method.request(&self.key, body, None);
        let answer = self.deliver(request).await?;
        match fate {
            Fate::LostAnswer => {
                tally.add(|counts| counts.lost_answers += 1);
                return lost("the connection broke before the answer");
            }
            Fate::StalledAfter => std::future::pending().await,
            Fate::Through
            | Fate::LostRequest
            | Fate::CutBody
            | Fate::Twice
            | Fate::Unwell
            | Fate::StalledBefore => {}
        }
        sleep(self.way(answer.body.len())).await;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(answer.refusal())
        }
    }

    async fn deliver(&self, request: Request<axum::body::Body>) -> Result<Answer, UplinkError> {
        match self.around.hub.call(request).await {
            Ok(answer) => Ok(answer),
            Err(NoServer(why)) => {
                self.around.tally.add(|counts| counts.server_down += 1);
                Err(UplinkError::Unreachable(why.to_owned()))
            }
        }
    }

    /// How long so many bytes are under way.
    fn way(&mut self, bytes: usize) -> Duration {
        let sending_ms = u64::try_from(bytes).unwrap_or(u64::MAX) / self.bytes_per_ms;
        Duration::from_millis(40 + self.chance.below(400) + sending_ms)
    }
}

#[async_trait]
impl Uplink for SimLink {
    async fn post(&mut self, batch: &SyncBatch) -> Result<SyncReply, UplinkError> {
        let body =
            serde_json::to_vec(batch).map_err(|error| UplinkError::Nonsense(error.to_string()))?;
        self.call(Method::Sync, body).await?.json()
    }

    async fn picture_status(&mut self, sha256: &Sha256) -> Result<PictureStatus, UplinkError> {
        self.call(Method::Status(sha256), Vec::new()).await?.json()
    }

    async fn create(
        &mut self,
        picture: &NewUpload,
        first: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        self.call(Method::Create(picture), first)
            .await?
            .uploaded(None)
    }

    async fn append(
        &mut self,
        location: &str,
        offset_bytes: u64,
        bytes: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        let method = Method::Append {
            location,
            offset_bytes,
        };
        self.call(method, bytes).await?.uploaded(Some(location))
    }

    async fn fetch(
        &mut self,
        shelf: Shelf,
        sha256: &Sha256,
        offset_bytes: u64,
        len_bytes: u64,
    ) -> Result<Vec<u8>, UplinkError> {
        let method = Method::Fetch {
            shelf,
            sha256,
            offset_bytes,
            len_bytes,
        };
        self.call(method, Vec::new()).await?.piece(offset_bytes)
    }
}
