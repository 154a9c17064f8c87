//! A server in memory that keeps the protocol's promises and can lose any
//! request or any answer.

#![expect(
    clippy::unwrap_in_result,
    reason = "a fake that breaks its own promise ends the test"
)]

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use trapline_agent::sync::uplink::{NewUpload, Shelf, Uplink, UplinkError, Uploaded};
use trapline_wire::v1::{
    EffortOutcome, EnrolAnswer, EnrolReply, EnrolRequest, Heartbeat, InspectionOutcome, MissReason,
    ModelOffer, PictureStatus, Receipt, SignedEnrolment, SyncBatch, SyncReply, TrackRecord,
    UnfinishedUpload, UpdateOffer,
};
use trapline_wire::{Sha256, TrapKey};

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// It arrives, and so does the answer.
    Good,
    /// It never arrives.
    LosesRequest,
    /// It is done, and nobody hears of it.
    LosesAnswer,
    /// The server says this instead of doing it.
    Says(UplinkError),
    /// The server forgets to account for a record.
    Miscounts,
    /// Not even a time-out comes back.
    Hangs,
}

/// What the server holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) effort: BTreeMap<String, EffortOutcome>,
    pub(crate) captures: BTreeMap<String, Sha256>,
    pub(crate) inspections: BTreeMap<String, InspectionOutcome>,
    pub(crate) tracks: BTreeMap<String, TrackRecord>,
    pub(crate) readings: BTreeMap<String, Option<f64>>,
    pub(crate) pictures: BTreeMap<Sha256, Vec<u8>>,
    pub(crate) heartbeats: Vec<Heartbeat>,
    pub(crate) requests: usize,
    /// A proxy in the way takes no batch of more bytes.
    pub(crate) body_bytes_max: Option<usize>,
    /// Batches that it did not take.
    pub(crate) oversized: usize,
    uploads: BTreeMap<String, (Sha256, u64, Vec<u8>)>,
    pub(crate) refuses: Vec<Sha256>,
    pub(crate) refuses_all: bool,
    /// No piece of a picture arrives, all else does.
    pub(crate) loses_pieces: bool,
    /// The model that is offered until the trap has made up its mind.
    pub(crate) offer: Option<ModelOffer>,
    /// The update that is offered.
    pub(crate) update: Option<UpdateOffer>,
    /// Files of models, which may be other ones than their name says.
    pub(crate) files: BTreeMap<Sha256, Vec<u8>>,
    /// What is answered to a trap that asks to be enrolled; the last one stays.
    pub(crate) enrol_answers: Vec<EnrolAnswer>,
    /// Who asked.
    pub(crate) asked: Vec<EnrolRequest>,
    /// The key that was shown last.
    pub(crate) key: Option<TrapKey>,
    /// Every piece that was asked for.
    pub(crate) fetched: Vec<(Sha256, u64)>,
    /// Every second answer is lost.
    pub(crate) loses_every_second: bool,
    /// Bytes of all bodies that traps sent.
    pub(crate) body_bytes: usize,
    /// What was answered to each batch.
    told: BTreeMap<Sha256, SyncReply>,
}

impl Held {
    pub(crate) fn missed(&self, reason: MissReason) -> usize {
        let is_it = |outcome: &&EffortOutcome| matches!(outcome, EffortOutcome::Missed { reason: found, .. } if *found == reason);
        self.effort.values().filter(is_it).count()
    }

    fn receipt(&self, sha256: &Sha256) -> Option<Receipt> {
        let picture = self.pictures.get(sha256)?;
        Some(Receipt {
            sha256: *sha256,
            size_bytes: u64::try_from(picture.len()).unwrap(),
            stored_ms: 1,
        })
    }

    fn take(&mut self, batch: &SyncBatch) -> SyncReply {
        self.heartbeats.extend(batch.heartbeat.clone());
        for record in &batch.effort {
            self.effort
                .insert(record.id.to_string(), record.outcome.clone());
        }
        for record in &batch.captures {
            self.captures
                .insert(record.id.to_string(), record.picture.sha256);
        }
        for record in &batch.inspections {
            assert!(self.captures.contains_key(&record.capture.to_string()));
            self.inspections
                .insert(record.capture.to_string(), record.outcome.clone());
        }
        for record in &batch.tracks {
            for capture in [record.first, record.last, record.best] {
                assert!(self.captures.contains_key(&capture.to_string()));
            }
            self.tracks.insert(record.id.to_string(), record.clone());
        }
        for record in &batch.readings {
            self.readings
                .insert(record.id.to_string(), record.temperature_c);
        }
        SyncReply {
            server_time_ms: crate::devices::JUNE_MS,
            stored: u64::try_from(batch.records()).unwrap(),
            refused: Vec::new(),
            receipts: Vec::new(),
            model: self.standing_offer(),
            update: self.update.clone(),
            unfinished: Some(self.uploads.values().map(|(sha256, ..)| *sha256).collect()),
        }
    }

    /// As a server does: not repeated once the trap has settled it.
    fn standing_offer(&self) -> Option<ModelOffer> {
        let offer = self.offer.clone()?;
        let said = self
            .heartbeats
            .last()
            .and_then(|heartbeat| heartbeat.model_offer.clone());
        let is_settled = said.is_some_and(|said| {
            said.manifest_sha256 == offer.manifest_sha256 && said.state.is_settled()
        });
        (!is_settled).then_some(offer)
    }

    fn append(
        &mut self,
        location: &str,
        offset_bytes: u64,
        bytes: &[u8],
    ) -> Result<Uploaded, UplinkError> {
        if self.loses_pieces {
            return Err(UplinkError::Unreachable("no signal".to_owned()));
        }
        let Some((sha256, size_bytes, so_far)) = self.uploads.get_mut(location) else {
            return Err(UplinkError::Gone("no such upload".to_owned()));
        };
        if u64::try_from(so_far.len()).unwrap() != offset_bytes {
            return Err(UplinkError::OutOfStep(format!("it is at {}", so_far.len())));
        }
        so_far.extend_from_slice(bytes);
        let stands_at = u64::try_from(so_far.len()).unwrap();
        let (sha256, is_whole) = (*sha256, stands_at == *size_bytes);
        if is_whole {
            let whole = so_far.clone();
            assert_eq!(
                Sha256::of(&whole),
                sha256,
                "the picture arrived as it was taken"
            );
            self.uploads.remove(location);
            if self.refuses_all || self.refuses.contains(&sha256) {
                return Err(UplinkError::Mismatch("the disk spoils this one".to_owned()));
            }
            self.pictures.insert(sha256, whole);
        }
        Ok(Uploaded {
            location: location.to_owned(),
            offset_bytes: stands_at,
            receipt: self.receipt(&sha256),
        })
    }
}

/// The uplink to it; the script is used up request by request, then all is good.
#[derive(Clone)]
pub(crate) struct TestUplink {
    pub(crate) held: Arc<Mutex<Held>>,
    pub(crate) script: Arc<Mutex<Vec<Way>>>,
}

impl TestUplink {
    pub(crate) fn new(script: Vec<Way>) -> Self {
        Self {
            held: Arc::default(),
            script: Arc::new(Mutex::new(script)),
        }
    }

    fn ask<T>(
        &self,
        what: impl FnOnce(&mut Held) -> Result<T, UplinkError>,
    ) -> Result<(T, Way), UplinkError> {
        let way = {
            let mut script = self.script.lock().unwrap();
            let mut held = self.held.lock().unwrap();
            held.requests += 1;
            if script.is_empty() {
                if held.loses_every_second && held.requests.is_multiple_of(2) {
                    Way::LosesAnswer
                } else {
                    Way::Good
                }
            } else {
                script.remove(0)
            }
        };
        let mut held = self.held.lock().unwrap();
        let lost = || UplinkError::Unreachable("connection reset".to_owned());
        match way {
            Way::Good | Way::Miscounts | Way::Hangs => Ok((what(&mut held)?, way)),
            Way::LosesRequest => Err(lost()),
            Way::LosesAnswer => {
                let _unheard = what(&mut held);
                Err(lost())
            }
            Way::Says(error) => Err(error),
        }
    }
}

#[async_trait]
impl Uplink for TestUplink {
    async fn enrol(&mut self, asking: &SignedEnrolment) -> Result<EnrolReply, UplinkError> {
        let request: EnrolRequest = serde_json::from_str(&asking.asking).unwrap();
        assert!(
            request
                .public_key
                .has_signed(&asking.asking, &asking.signature)
        );
        let ask = |held: &mut Held| {
            let nonce = request.nonce.clone();
            held.asked.push(request.clone());
            let answer = match held.enrol_answers.as_slice() {
                [] => return Err(UplinkError::NotEnrolled("nobody is".to_owned())),
                [last] => last.clone(),
                _ => held.enrol_answers.remove(0),
            };
            Ok(EnrolReply {
                nonce,
                server_time_ms: 0,
                answer,
            })
        };
        Ok(self.ask(ask)?.0)
    }

    fn use_key(&mut self, key: &TrapKey) {
        self.held.lock().unwrap().key = Some(key.clone());
    }

    async fn post(&mut self, batch: &SyncBatch) -> Result<SyncReply, UplinkError> {
        let json = serde_json::to_string(batch).unwrap();
        let bytes = json.len();
        let (mut reply, way) = self.ask(|held| {
            held.body_bytes += bytes;
            if held.body_bytes_max.is_some_and(|max| bytes > max) {
                held.oversized += 1;
                return Err(UplinkError::TooLarge("a proxy says so".to_owned()));
            }
            let reply = held.take(batch);
            held.told.insert(Sha256::of(json.as_bytes()), reply.clone());
            Ok(reply)
        })?;
        if way == Way::Hangs {
            std::future::pending::<()>().await;
        }
        if way == Way::Miscounts {
            reply.stored = reply.stored.saturating_sub(1);
        }
        Ok(reply)
    }

    async fn batch_reply(&mut self, batch: &Sha256) -> Result<Option<SyncReply>, UplinkError> {
        Ok(self.ask(|held| Ok(held.told.get(batch).cloned()))?.0)
    }

    async fn picture_status(&mut self, sha256: &Sha256) -> Result<PictureStatus, UplinkError> {
        let ask = |held: &mut Held| {
            let mut uploads = held.uploads.iter();
            let upload = uploads.find(|(_, (of, _, _))| of == sha256);
            let upload = upload.map(|(location, (_, _, so_far))| UnfinishedUpload {
                location: location.clone(),
                offset_bytes: u64::try_from(so_far.len()).unwrap(),
            });
            let receipt = held.receipt(sha256);
            Ok(PictureStatus { receipt, upload })
        };
        Ok(self.ask(ask)?.0)
    }

    async fn create(
        &mut self,
        picture: &NewUpload,
        first: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        let ask = |held: &mut Held| {
            held.body_bytes += first.len();
            let location = format!("/api/v1/uploads/{}", held.requests);
            let upload = (picture.sha256, picture.size_bytes, Vec::new());
            held.uploads.insert(location.clone(), upload);
            held.append(&location, 0, &first)
        };
        Ok(self.ask(ask)?.0)
    }

    async fn append(
        &mut self,
        location: &str,
        offset_bytes: u64,
        bytes: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        let ask = |held: &mut Held| {
            held.body_bytes += bytes.len();
            held.append(location, offset_bytes, &bytes)
        };
        Ok(self.ask(ask)?.0)
    }

    async fn fetch(
        &mut self,
        _shelf: Shelf,
        sha256: &Sha256,
        offset_bytes: u64,
        len_bytes: u64,
    ) -> Result<Vec<u8>, UplinkError> {
        let ask = |held: &mut Held| {
            held.fetched.push((*sha256, offset_bytes));
            let Some(file) = held.files.get(sha256) else {
                return Err(UplinkError::Gone("no such file".to_owned()));
            };
            let bytes = file.iter().skip(usize::try_from(offset_bytes).unwrap());
            let bytes = bytes.take(usize::try_from(len_bytes).unwrap());
            Ok(bytes.copied().collect())
        };
        Ok(self.ask(ask)?.0)
    }
}
