//! The check before leaving a trap: every part once, for real, with a remedy
//! for what does not work. It takes no part in the schedule and writes nothing
//! into the ledger.

use crate::boot;
use crate::config::{CameraKind, Config, Loaded};
use crate::hands::Hands;
use crate::inspect::{Asked, Detect as _};
use crate::inspector::Inspector;
use crate::lent::{Lent, NotBack};
use crate::moment::millis;
use crate::stage::{device_words, in_full};
use crate::sync::http::HttpUplink;
use crate::sync::uplink::Uplink as _;
use serde::Serialize;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;
use trapline_hal::{Clock as _, ClockQuality, DeviceError, Frame, ShotSettings};
use trapline_store::{Disk as _, OsDisk};
use trapline_wire::v1::SyncBatch;

/// Free room below which nobody should leave a trap.
const FREE_BYTES_MIN: u64 = 500_000_000;
/// A clock further than this from the server's is wrong.
const OFFSET_MAX_MS: i64 = 60_000;

/// All checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing failed.
    pub passed: bool,
    /// One for each part, in the order of a tour around the trap.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The part: `config`, `camera`, `sensors`, `card`, `model`, `clock`, `server`.
    pub part: &'static str,
    /// Whether it works.
    pub passed: bool,
    /// What was seen.
    pub found: String,
    /// What to do, when it does not work.
    pub remedy: Option<String>,
}

impl Check {
    fn good(part: &'static str, found: impl Into<String>) -> Self {
        Self {
            part,
            passed: true,
            found: found.into(),
            remedy: None,
        }
    }

    fn bad(part: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self {
            part,
            passed: false,
            found: found.into(),
            remedy: Some(remedy.to_owned()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let mark = if check.passed { "✓" } else { "✗" };
            writeln!(f, "{mark} {:8} {}", check.part, check.found)?;
            if let Some(remedy) = &check.remedy {
                writeln!(f, "           → {remedy}")?;
            }
        }
        let verdict = if self.passed {
            "This trap is ready."
        } else {
            "This trap is not ready."
        };
        writeln!(f, "{verdict}")
    }
}

/// Checks every part.
pub async fn selftest(loaded: &Loaded) -> Report {
    let config = &loaded.config;
    let (camera, frame) = camera(config).await;
    let mut checks = vec![
        settings(loaded),
        camera,
        sensors(config).await,
        card(config),
    ];
    checks.push(model(config, frame));
    checks.push(clock());
    checks.push(server(config).await);
    Report {
        passed: checks.iter().all(|check| check.passed),
        checks,
    }
}

fn settings(loaded: &Loaded) -> Check {
    if loaded.faults.is_empty() {
        return Check::good("config", "the settings are right");
    }
    let found = loaded.faults.join("; ");
    Check::bad("config", found, "mend the file that is named")
}

async fn camera(config: &Config) -> (Check, Option<Frame>) {
    if config.camera.kind == CameraKind::None {
        let remedy = "set `camera.kind`";
        return (Check::bad("camera", "none is configured", remedy), None);
    }
    let deadline = config.camera.deadline;
    let settings = ShotSettings {
        deadline_ms: millis(deadline),
        only_to_look: true,
    };
    let mut devices = Lent::of(boot::devices(config, 0));
    let shot = devices
        .job(
            Hands::Threads,
            deadline + Duration::from_secs(2),
            move |devices| (devices.open_camera)(None)?.shoot(&settings),
        )
        .await;
    let remedy = match config.camera.kind {
        CameraKind::Folder { .. } => "put JPEG files into the folder of `camera.folder`",
        CameraKind::Csi | CameraKind::Uvc(_) | CameraKind::None => {
            "check the camera's cable at both ends, then start the trap again"
        }
    };
    match flat(shot, deadline) {
        Err(why) => (Check::bad("camera", why, remedy), None),
        Ok(frame) => {
            let size = match trapline_detect::jpeg::dimensions(&frame.jpeg) {
                Ok((width, height)) => format!("{width} × {height} pixels"),
                Err(error) => return (Check::bad("camera", in_full(&error), remedy), None),
            };
            let found = format!("took a picture of {size}, {} kB", frame.jpeg.len() / 1000);
            (Check::good("camera", found), Some(frame))
        }
    }
}

fn flat<T>(done: Result<Result<T, DeviceError>, NotBack>, deadline: Duration) -> Result<T, String> {
    match done {
        Ok(result) => result.map_err(|error| device_words(&error)),
        Err(NotBack::Panicked(words)) => Err(format!("its driver failed: {words}")),
        Err(NotBack::Hung | NotBack::Away) => Err(format!("no answer in {deadline:?}")),
    }
}

async fn sensors(config: &Config) -> Check {
    let mut devices = Lent::of(boot::devices(config, 0));
    let read = devices
        .job(Hands::Threads, Duration::from_secs(5), |devices| {
            (devices.ambient.read(), devices.power.read())
        })
        .await;
    let remedy = "check the sensors' cable";
    let Ok((ambient, power)) = read else {
        return Check::bad("sensors", "no answer in 5 s", remedy);
    };
    let mut faults = ambient.faults.iter().chain(&power.fault).peekable();
    if faults.peek().is_some() {
        let all: Vec<String> = faults.map(|fault| in_full(fault)).collect();
        return Check::bad("sensors", all.join("; "), remedy);
    }
    let values = [
        ambient
            .temperature
            .map(|t| format!("{:.1} °C", t.celsius())),
        ambient.humidity.map(|h| format!("{:.0} %", h.percent())),
        ambient.light.map(|l| format!("{:.0} lx", l.lux())),
        power.battery.map(|b| format!("{:.2} V", b.volts())),
    ];
    let values: Vec<String> = values.into_iter().flatten().collect();
    if values.is_empty() {
        return Check::good("sensors", "none are connected");
    }
    Check::good("sensors", values.join(", "))
}

fn card(config: &Config) -> Check {
    let dir = &config.ledger.dir;
    if let Err(error) = try_write(dir) {
        let found = format!("{} cannot be written: {error}", dir.display());
        let remedy = "check `ledger.dir`, its owner, and whether the card is read-only";
        return Check::bad("card", found, remedy);
    }
    match OsDisk.free_bytes(dir) {
        Err(error) => Check::bad("card", error.to_string(), "replace the card"),
        Ok(free_bytes) => {
            let found = format!("written and synced, {} MB free", free_bytes / 1_000_000);
            if free_bytes < FREE_BYTES_MIN.max(config.ledger.free_bytes_min) {
                let remedy = "export and remove old pictures, or use a larger card";
                return Check::bad("card", found, remedy);
            }
            Check::good("card", found)
        }
    }
}

fn try_write(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("selftest.part");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(b"trapline")?;
    file.sync_all()?;
    std::fs::remove_file(&path)
}

fn model(config: &Config, frame: Option<Frame>) -> Check {
    if !config.detector.enabled {
        return Check::good("model", "switched off");
    }
    let remedy = "mend `detector.manifest`, or leave it out for the built-in model";
    let settings = &config.detector;
    let mut detector =
        match Inspector::start(settings.manifest.as_deref(), settings.memory_limit_bytes) {
            Ok(detector) => detector,
            Err(why) => return Check::bad("model", why, remedy),
        };
    let id = detector.model().id;
    let id = match detector.arithmetic() {
        Some(with) => format!("{id} ({with})"),
        None => id,
    };
    let Some(frame) = frame else {
        return Check::good(
            "model",
            format!("{id} loads; there was no picture to look at"),
        );
    };
    match detector.look(&Asked::alone(&frame.jpeg), &mut || true) {
        Ok(seen) => {
            let found = format!(
                "{id} looked at the picture: {} boxes, {} of {} tiles",
                seen.boxes.len(),
                seen.facts.tiles_run,
                seen.facts.tiles
            );
            Check::good("model", found)
        }
        Err(error) => Check::bad("model", error.to_string(), remedy),
    }
}

fn clock() -> Check {
    let stamp = trapline_hal::pi::clock::SystemClock::new().stamp();
    let now = crate::moment::utc_text(stamp.unix_ms);
    match stamp.quality {
        ClockQuality::Unset => Check::bad(
            "clock",
            format!("never set, it says {now}"),
            "connect the trap to a network once, or set the time",
        ),
        ClockQuality::Restored => Check::good("clock", format!("{now}, carried on, not confirmed")),
        ClockQuality::Rtc => Check::good("clock", format!("{now}, from the battery-backed clock")),
        ClockQuality::Synced => Check::good("clock", format!("{now}, confirmed by the network")),
    }
}

async fn server(config: &Config) -> Check {
    let Some(server) = &config.server else {
        return Check::good("server", "none is configured: everything stays on the card");
    };
    let remedy = "check the network, `server.url` and the trap's key";
    let mut uplink = match HttpUplink::new(server, &config.sync) {
        Ok(uplink) => uplink,
        Err(why) => return Check::bad("server", why, remedy),
    };
    // An empty batch stores nothing and is answered like any other.
    match uplink.post(&SyncBatch::default()).await {
        Err(error) => Check::bad("server", error.to_string(), remedy),
        Ok(reply) => {
            let now_ms = trapline_hal::pi::clock::SystemClock::new().stamp().unix_ms;
            let offset_ms = reply.server_time_ms.saturating_sub(now_ms);
            let found = format!(
                "{} answers, its clock differs by {offset_ms} ms",
                server.url
            );
            if offset_ms.saturating_abs() > OFFSET_MAX_MS {
                return Check::bad(
                    "server",
                    found,
                    "set the clock of the trap or of the server",
                );
            }
            Check::good("server", found)
        }
    }
}
