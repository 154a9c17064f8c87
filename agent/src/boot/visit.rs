//! A check without a running agent: the trap's own devices, and a ledger that is
//! thrown away. The real one is only read, so that a check as another user leaves
//! nothing in it that the agent could not open.

use super::{devices, front, open_fresh, power, probes, system_chance};
use crate::agent::{Agent, Nobody, Parts};
use crate::config::Loaded;
use crate::desk::Desk;
use crate::hands::Hands;
use crate::power::PowerDevices;
use anyhow::Context as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Does `work`, such as a check, on this trap.
///
/// # Errors
/// When nothing can be written for the moment, or there are no random numbers.
pub async fn visit<T>(loaded: &Loaded, work: impl AsyncFnOnce(&Desk) -> T) -> anyhow::Result<T> {
    let config = loaded.config.clone();
    let clock = power::clock(&config);
    let scratch = Scratch::make()?;
    let ledger = open_fresh(&scratch.folder, &clock)?;
    let agent = Agent::from_parts(Parts {
        front: front::front(&config.front),
        probes: probes::probes(&config, &loaded.faults),
        clock: Arc::new(clock),
        ledger,
        hands: Hands::Threads,
        devices: devices(&config, 0),
        load_detector: Box::new(|_| Err("nothing is searched during a check".to_owned())),
        power: PowerDevices::default(),
        thermal: None,
        uplink: None,
        chance: system_chance(),
        outside: Box::new(Nobody),
        config: Arc::new(config),
    });
    Ok(agent.visit(work).await)
}

/// A folder for the moment.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn make() -> anyhow::Result<Self> {
        let random = getrandom::u64().context("no random numbers for a folder's name")?;
        let folder = std::env::temp_dir().join(format!("trapline-check-{random:016x}"));
        // Fails if somebody else has made it, which nobody can have guessed.
        let made = std::fs::create_dir(&folder);
        made.with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is small, and gone with the next start.
        let _stays = std::fs::remove_dir_all(&self.folder);
    }
}
