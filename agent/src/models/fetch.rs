//! Fetching an offered model: one piece at a time, kept over restarts, and
//! nothing believed that is not proved.
//!
//! The manifest comes first: it must be what was offered, and it names the
//! network's file. The built-in model, offered to replace another, is not fetched.

use super::carried;
use crate::desk::Desk;
use crate::stage::{StageError, in_full};
use crate::sync::offered::{Rests, Step, believable};
use crate::sync::uplink::{Shelf, Uplink, UplinkError};
use std::path::Path;
use trapline_detect::Manifest;
use trapline_store::{Assembled, Ledger, ModelFile, ModelRow, ModelStage, StoreError, View};
use trapline_wire::limits::{MANIFEST_BYTES_MAX, MODEL_BYTES_MAX};

/// Whole fetches whose bytes were wrong, before the model is refused.
const WRONG_MAX: u32 = 2;

/// How the fetch of this run goes; where it stands is in the ledger.
#[derive(Debug, Default)]
pub struct Fetch {
    rests: Rests,
}

/// What is to be done next.
enum Task {
    /// Ask for bytes of a file from here on.
    Ask {
        file: ModelFile,
        from_bytes: u64,
        size_bytes: u64,
    },
    /// All bytes are there: prove the manifest.
    ProveManifest,
    /// All bytes are there: prove the network.
    ProveNetwork(String),
    /// The trap has it already.
    Here,
    /// It can never be used.
    Refuse(String),
}

impl Fetch {
    /// The model whose files are to be fetched now, if there is one.
    ///
    /// # Errors
    /// What the ledger says.
    pub async fn waiting(&self, desk: &Desk) -> Result<Option<ModelRow>, StageError> {
        if self.rests.rests() || desk.card_full.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(None);
        }
        let find = |ledger: &mut Ledger| {
            let models = ledger.models()?;
            let mut fetching = models
                .into_iter()
                .filter(|row| row.stage == ModelStage::Fetching);
            Ok(fetching.next())
        };
        desk.books.with(find).await
    }

    /// One request, or one proof.
    ///
    /// # Errors
    /// What the ledger says.
    pub async fn step(
        &mut self,
        desk: &Desk,
        uplink: &mut dyn Uplink,
        row: ModelRow,
        piece_bytes: u64,
    ) -> Result<Step, StageError> {
        let of = row.clone();
        let task = desk.books.with(move |ledger| task(ledger, &of)).await?;
        match task {
            Task::Ask {
                file,
                from_bytes,
                size_bytes,
            } => {
                let len_bytes = piece_bytes.min(size_bytes - from_bytes);
                let (sha256, _) = file.content(&row);
                let piece = uplink
                    .fetch(Shelf::Models, &sha256, from_bytes, len_bytes)
                    .await;
                match piece.and_then(|bytes| believable(bytes, len_bytes)) {
                    Ok(bytes) => {
                        self.rests.went_well();
                        desk.books
                            .with(move |ledger| {
                                ledger.keep_model_piece(&row, file, from_bytes, &bytes)
                            })
                            .await?;
                        super::note(desk).await?;
                    }
                    Err(error) => return Ok(self.failed(desk, &row, error)),
                }
            }
            Task::ProveManifest => self.prove_manifest(desk, row).await?,
            Task::ProveNetwork(name) => self.prove_network(desk, row, name).await?,
            Task::Here => fetched(desk, row).await?,
            Task::Refuse(why) => super::refuse(desk, &row, &why).await?,
        }
        Ok(Step::Done)
    }

    async fn prove_manifest(&mut self, desk: &Desk, row: ModelRow) -> Result<(), StageError> {
        let of = row.clone();
        let done = desk
            .books
            .with(move |ledger| ledger.assemble_model(&of, ModelFile::Manifest, None))
            .await?;
        match done {
            Assembled::Whole => Ok(()),
            Assembled::Wrong(why) => self.was_wrong(desk, row, why).await,
        }
    }

    async fn prove_network(
        &mut self,
        desk: &Desk,
        row: ModelRow,
        name: String,
    ) -> Result<(), StageError> {
        let of = row.clone();
        let done = desk
            .books
            .with(move |ledger| ledger.assemble_model(&of, ModelFile::Network, Some(&name)))
            .await?;
        match done {
            Assembled::Whole => fetched(desk, row).await,
            Assembled::Wrong(why) => self.was_wrong(desk, row, why).await,
        }
    }

    /// Wrong bytes may be the way's fault once; twice they are the server's.
    async fn was_wrong(
        &mut self,
        desk: &Desk,
        row: ModelRow,
        why: String,
    ) -> Result<(), StageError> {
        let seq = row.seq;
        let wrong = desk
            .books
            .with(move |ledger| ledger.model_was_wrong(seq))
            .await?;
        if wrong >= WRONG_MAX {
            return super::refuse(desk, &row, &why).await;
        }
        let id = row.offer.id.as_str();
        log::warn!(model = id; "the model {id} is fetched once more: {why}");
        self.rests.anew();
        Ok(())
    }

    /// The fetch rests, so that it never holds pictures back.
    fn failed(&mut self, desk: &Desk, row: &ModelRow, error: UplinkError) -> Step {
        self.rests.failed();
        if error.is_of_the_way() {
            return Step::NotHeard(error);
        }
        let id = &row.offer.id;
        let text = format!("the offered model {id} cannot be fetched: {error}");
        let now_ms = desk.clock.stamp().unix_ms;
        desk.health.raise(super::PART, &text, now_ms);
        Step::Done
    }
}

async fn fetched(desk: &Desk, row: ModelRow) -> Result<(), StageError> {
    let now_ms = desk.clock.stamp().unix_ms;
    let (seq, id) = (row.seq, row.offer.id.as_str());
    log::info!(model = id; "the model {id} is here and proved");
    desk.books
        .with(move |ledger| ledger.model_fetched(seq, now_ms))
        .await?;
    desk.health.clear(super::PART);
    super::tell(desk).await?;
    desk.wakes.inspect.notify_one();
    Ok(())
}

fn task(ledger: &Ledger, row: &ModelRow) -> Result<Task, StoreError> {
    let offer = &row.offer;
    if offer.manifest_sha256 == carried::built_in_sha256() {
        return Ok(Task::Here);
    }
    if offer.size_bytes > MODEL_BYTES_MAX || offer.manifest_size_bytes > MANIFEST_BYTES_MAX {
        return Ok(Task::Refuse(format!(
            "{} and {} bytes of manifest are more than a trap takes",
            offer.size_bytes, offer.manifest_size_bytes
        )));
    }
    let ask = |file: ModelFile, from_bytes| Task::Ask {
        file,
        from_bytes,
        size_bytes: file.content(row).1,
    };
    let here_bytes = ledger.model_bytes(row, ModelFile::Manifest, None)?;
    if here_bytes < offer.manifest_size_bytes {
        return Ok(ask(ModelFile::Manifest, here_bytes));
    }
    let name = match manifest_of(ledger, row) {
        None => return Ok(Task::ProveManifest),
        Some(Ok(manifest)) => manifest.file,
        Some(Err(why)) => return Ok(Task::Refuse(why)),
    };
    let here_bytes = ledger.model_bytes(row, ModelFile::Network, Some(&name))?;
    if here_bytes < offer.size_bytes {
        return Ok(ask(ModelFile::Network, here_bytes));
    }
    Ok(Task::ProveNetwork(name))
}

/// The network's file name, once the manifest is proved.
pub(super) fn network_name(view: &View, row: &ModelRow) -> Option<String> {
    let manifest = manifest_of(view, row)?.ok()?;
    Some(manifest.file)
}

/// The proved manifest; `None` while it is not in its place.
fn manifest_of(view: &View, row: &ModelRow) -> Option<Result<Manifest, String>> {
    let bytes = view.read_model_manifest(row).ok()?;
    if trapline_wire::Sha256::of(&bytes) != row.offer.manifest_sha256 {
        return None;
    }
    Some(fitting(&bytes, row))
}

fn fitting(bytes: &[u8], row: &ModelRow) -> Result<Manifest, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its manifest is no text".to_owned())?;
    let path = Path::new("of the offered model");
    let manifest = Manifest::parse(text, path).map_err(|error| in_full(&error))?;
    let offer = &row.offer;
    if manifest.id != offer.id {
        let other = &manifest.id;
        return Err(format!("its manifest is the one of the model `{other}`"));
    }
    if manifest.sha256 != offer.sha256.to_string() {
        return Err(format!(
            "its manifest speaks of a model file with the SHA-256 {}",
            manifest.sha256
        ));
    }
    if manifest.file == "manifest.toml" || manifest.file.starts_with('.') {
        return Err(format!("a model file cannot be called `{}`", manifest.file));
    }
    Ok(manifest)
}
