//! Builds the agent of a real trap from its settings: the only place that
//! makes real devices, opens the real card and the real uplink.

mod camera;
mod enrol;
mod front;
mod lamps;
pub mod power;
mod probes;
mod sensors;
pub mod trial;
pub mod visit;

use crate::agent::{Agent, Outside, Parts};
use crate::capture::Devices;
use crate::config::raw::Entries;
use crate::config::{CameraKind, Config, Loaded, layers, shown};
use crate::hands::Hands;
use crate::inspect::Detect;
use crate::inspector::Inspector;
use crate::moment::wire_stamp;
use crate::page::ShownSetting;
use crate::sync::backoff::Chance;
use crate::update::{self, RUN_DIR, permission};
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use trapline_hal::pi::boot_slot::booted_slot;
use trapline_hal::pi::clock::SystemClock;
use trapline_hal::pi::folder_readings::FolderReadings;
use trapline_hal::pi::thermal::ThermalZone;
use trapline_hal::{
    Ambient, AmbientReading, Clock as _, DeviceError, FaultKind, Power, PowerReading,
};
use trapline_store::{Ledger, OsDisk, Recovery, StoreError, set_database_aside};
use trapline_wire::LedgerId;

/// Opens the ledger and puts the agent together.
///
/// # Errors
/// When the ledger cannot be opened or the operating system gives no random numbers.
pub fn assemble(loaded: Loaded, outside: Box<dyn Outside>) -> anyhow::Result<Agent> {
    let Loaded {
        config,
        entries,
        faults,
        card_fault,
        overlay,
    } = loaded;
    let clock = power::clock(&config);
    let now = clock.stamp();
    trial::sweep(&config.ledger.dir);
    let (mut ledger, trouble) = open_ledger(&config.ledger.dir, &clock)?;
    if let Some(text) = overlay
        && let Err(error) = layers::keep_overlay(&config.ledger.dir, &text)
    {
        log::warn!("no copy of the overlay could be kept: {error}");
    }
    let replayed = usize::try_from(ledger.replayed()?).unwrap_or(0);
    let devices = devices(&config, replayed);
    let memory_limit_bytes = config.detector.memory_limit_bytes;
    let way = enrol::way(&config, &mut ledger, &now);
    let power = power::power(&config);
    let (front, probes) = (
        front::front(&config.front),
        probes::probes(&config, &faults),
    );
    let agent = Agent::from_parts(Parts {
        power,
        front,
        probes,
        config: Arc::new(config),
        clock: Arc::new(clock),
        ledger,
        hands: Hands::Threads,
        devices,
        load_detector: Box::new(move |choice| {
            let inspector = Inspector::start(choice.manifest.as_deref(), memory_limit_bytes)?;
            Ok(Box::new(inspector) as Box<dyn Detect>)
        }),
        thermal: Some(Box::new(ThermalZone::default())),
        uplink: way.uplink,
        chance: system_chance(),
        outside,
    });
    let agent = match way.enrol {
        Some(enrol) => agent.enrolling(enrol),
        None => agent,
    };
    if agent.desk().config.page.listen.is_some() {
        agent.desk().page.show_settings(shown_settings(&entries));
    }
    update::fetch::note(agent.desk(), None, now.unix_ms);
    let health = &agent.desk().health;
    if !faults.is_empty() {
        health.raise("config", &faults.join("; "), now.unix_ms);
    }
    if let Some(fault) = card_fault {
        health.raise("card settings", &fault, now.unix_ms);
    }
    if let Some(trouble) = trouble {
        health.raise("ledger", &trouble, now.unix_ms);
    }
    for (part, why) in way.troubles {
        health.raise(part, &why, now.unix_ms);
    }
    Ok(agent)
}

/// The settings for people, without their secrets.
fn shown_settings(entries: &Entries) -> Vec<ShownSetting> {
    let shown = entries.iter().map(|(key, entry)| ShownSetting {
        key: key.clone(),
        value: shown(key, &entry.value),
        origin: entry.origin.to_string(),
    });
    shown.collect()
}

/// The ledger; a damaged one is set aside, because a trap in the field goes on.
fn open_ledger(dir: &Path, clock: &SystemClock) -> anyhow::Result<(Ledger, Option<String>)> {
    let id = draw_id()?;
    let now = wire_stamp(&clock.stamp());
    // Told by this start itself, whatever was started before: see `update::permission`.
    let upgrade = permission::upgrade(booted_slot().as_deref(), Path::new(RUN_DIR));
    let open = || Ledger::open_with(dir, Arc::new(OsDisk), || id, &now, upgrade);
    let mut trouble = None;
    let opened = match open() {
        Err(StoreError::Corrupt { file, detail }) => {
            let kept = set_database_aside(dir, &OsDisk)?;
            let text = format!(
                "{} was damaged ({detail}); it is kept as {} and a new ledger was started: \
                 replace the card soon",
                file.display(),
                kept.display()
            );
            log::error!("{text}");
            trouble = Some(text);
            open()
        }
        opened => opened,
    };
    let (ledger, recovery) =
        opened.with_context(|| format!("cannot open the ledger in {}", dir.display()))?;
    say_recovery(&recovery);
    Ok((ledger, trouble))
}

/// A ledger in an empty folder.
fn open_fresh(dir: &Path, clock: &SystemClock) -> anyhow::Result<Ledger> {
    let id = draw_id()?;
    let now = wire_stamp(&clock.stamp());
    let (ledger, _is_new) = Ledger::open(dir, Arc::new(OsDisk), || id, &now)?;
    Ok(ledger)
}

fn draw_id() -> anyhow::Result<LedgerId> {
    let random = getrandom::u32().context("no random numbers for the ledger's id")?;
    Ok(LedgerId(random))
}

fn say_recovery(recovery: &Recovery) {
    if recovery.created {
        log::info!("started a new ledger");
        return;
    }
    let counts = [
        (recovery.shots_cut, "shots were cut off"),
        (recovery.unfinished_removed, "unfinished files removed"),
        (recovery.set_aside, "pictures without a record set aside"),
        (recovery.set_aside_removed, "older ones of those removed"),
        (recovery.prunes_finished, "removals finished"),
        (recovery.damaged, "pictures found damaged"),
        (
            recovery.gone_but_safe,
            "pictures missing here but safe on the server",
        ),
        (
            recovery.strangers,
            "files among the pictures that are not ours",
        ),
    ];
    let happened = counts.into_iter().filter(|(count, _)| *count > 0);
    let happened: Vec<String> = happened.map(|(n, what)| format!("{n} {what}")).collect();
    if !happened.is_empty() {
        let happened = happened.join(", ");
        log::info!("the ledger was put in order: {happened}");
    }
}

/// Camera and sensors as the settings name them.
#[must_use]
pub fn devices(config: &Config, replayed: usize) -> Devices {
    let folder = match &config.camera.kind {
        CameraKind::Folder { folder, .. } => Some(folder),
        CameraKind::Csi | CameraKind::Uvc(_) | CameraKind::None => None,
    };
    let readings = folder.and_then(|folder| match FolderReadings::open(folder, replayed) {
        Ok(readings) => readings.map(Ok),
        Err(error) => Some(Err(error.to_string())),
    });
    let (ambient, power): (Box<dyn Ambient>, Box<dyn Power>) = match readings {
        // Sensors that are there say more of this trap than what was recorded with pictures of another.
        _ if !config.sensors.is_empty() => sensors::sensors(&config.sensors),
        Some(Ok(readings)) => (Box::new(readings.clone()), Box::new(readings)),
        Some(Err(why)) => (Box::new(Unreadable(why)), Box::new(NoPower)),
        None => (Box::new(NoSensors), Box::new(NoPower)),
    };
    Devices {
        open_camera: camera::open(&config.camera),
        ambient,
        power,
        fittings: lamps::fittings(config),
    }
}

fn system_chance() -> Chance {
    Box::new(|| {
        // Without random numbers traps behind one mast would call together, no worse.
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        f64::from(random) / (f64::from(u32::MAX) + 1.0)
    })
}

struct NoSensors;

impl Ambient for NoSensors {
    fn read(&mut self) -> AmbientReading {
        AmbientReading::default()
    }
}

struct Unreadable(String);

impl Ambient for Unreadable {
    fn read(&mut self) -> AmbientReading {
        AmbientReading {
            faults: vec![DeviceError::new(
                "climate",
                FaultKind::Broken,
                self.0.clone(),
            )],
            ..AmbientReading::default()
        }
    }
}

struct NoPower;

impl Power for NoPower {
    fn read(&mut self) -> PowerReading {
        PowerReading::default()
    }
}
