//! A trial of this very program on this very trap: its devices, and a copy of its
//! ledger that is brought to the new schema first and thrown away after. Nothing is
//! sent, and the trap does not lie down meanwhile.

use super::{devices, front, open_fresh, power, probes, system_chance};
use crate::agent::{Agent, Nobody, Parts};
use crate::config::Loaded;
use crate::hands::Hands;
use crate::inspect::Detect;
use crate::inspector::Inspector;
use crate::power::PowerDevices;
use crate::update::trial::{self, Report};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use trapline_hal::pi::thermal::ThermalZone;
use trapline_store::{Held, OsDisk};
use trapline_wire::CaptureId;

/// In the ledger's folder: on the same partition, where the trap's user may write.
const FOLDER: &str = "trial";

/// Tries this program on this trap. Whatever goes wrong is a reason of the report.
pub async fn trial(loaded: Loaded, within: Duration) -> Report {
    let began = Instant::now();
    let proof = attempt(loaded, within).await;
    Report::of(proof.map_err(|error| format!("{error:#}")), began.elapsed())
}

async fn attempt(loaded: Loaded, within: Duration) -> anyhow::Result<CaptureId> {
    let Loaded {
        mut config, faults, ..
    } = loaded;
    config.server = None;
    config.page.listen = None;
    // As long as it is held, no agent works on the ledger or with the camera.
    let held = Held::take(&config.ledger.dir, Arc::new(OsDisk))?;
    let scratch = Scratch::make(&config.ledger.dir)?;
    let copied = held.copy_rows(&scratch.folder);
    copied.context("the ledger cannot be copied")?;
    let clock = power::clock(&config);
    let ledger = open_fresh(&scratch.folder, &clock);
    let ledger = ledger.context("the copy of the ledger cannot be opened with this version")?;
    let failed_before = trial::camera_failed_before(&ledger)?;
    let replayed = usize::try_from(ledger.replayed()?).unwrap_or(0);
    let memory_limit_bytes = config.detector.memory_limit_bytes;
    let agent = Agent::from_parts(Parts {
        front: front::front(&config.front),
        probes: probes::probes(&config, &faults),
        devices: devices(&config, replayed),
        clock: Arc::new(clock),
        ledger,
        hands: Hands::Threads,
        load_detector: Box::new(move |choice| {
            let inspector = Inspector::start(choice.manifest.as_deref(), memory_limit_bytes)?;
            Ok(Box::new(inspector) as Box<dyn Detect>)
        }),
        power: PowerDevices::default(),
        thermal: Some(Box::new(ThermalZone::default())),
        uplink: None,
        chance: system_chance(),
        outside: Box::new(Nobody),
        config: Arc::new(config),
    });
    let proof = trial::prove(agent, within, failed_before).await;
    drop((scratch, held));
    proof.map_err(anyhow::Error::msg)
}

/// Removes what a trial left that was cut off.
pub(super) fn sweep(ledger_dir: &Path) {
    let folder = ledger_dir.join(FOLDER);
    if folder.exists() {
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => log::info!("removed the copy of a trial that was cut off"),
            Err(error) => log::warn!("{} cannot be removed: {error}", folder.display()),
        }
    }
}

/// The folder of the copy, gone at the end.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn make(ledger_dir: &Path) -> anyhow::Result<Self> {
        sweep(ledger_dir);
        let folder = ledger_dir.join(FOLDER);
        let made = std::fs::create_dir(&folder);
        made.with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed by the next start.
        let _stays = std::fs::remove_dir_all(&self.folder);
    }
}
