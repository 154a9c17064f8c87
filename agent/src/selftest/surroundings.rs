//! The rows of the self-test for what the trap lives from: settings, card,
//! model, clock, what wakes it, and the server.

use super::devices::said;
use super::tour::{Found, Tour, not_back_words, on_thread};
use crate::desk::Desk;
use crate::probes::Probes;
use crate::stage::device_words;
use crate::sync::uplink::UplinkError;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trapline_hal::wake::WakeWhen;
use trapline_hal::{ClockQuality, DeviceError, Frame};
use trapline_store::{Disk as _, OsDisk};
use trapline_wire::v1::SyncBatch;

/// Free room below which nobody should leave a trap.
const FREE_BYTES_MIN: u64 = 500_000_000;
/// A card that lasts no longer than this is soon full.
const CARD_HOURS_MIN: u32 = 7 * 24;
/// A clock further than this from the server's is wrong.
const OFFSET_MAX_MS: i64 = 60_000;
/// A card that takes longer to write eight bytes is broken.
const CARD_LIMIT: Duration = Duration::from_secs(20);
/// Beside the time that the settings give the detector.
const MODEL_SLACK: Duration = Duration::from_secs(30);
/// Clocks and power boards answer at once, or not at all.
const WAKE_LIMIT: Duration = Duration::from_secs(20);
/// The alarm that is tried; no timer has a longer period.
const WAKE_AHEAD_S: i64 = 2 * 3_600;
/// Nobody waits longer at a trap for a server.
const SERVER_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn settings(tour: &mut Tour<'_>, probes: &Probes) {
    let found = if probes.settings.is_empty() {
        Found::good("the settings are right")
    } else {
        Found::bad(probes.settings.join("; "), "mend the file that is named")
    };
    tour.note("config", found, Duration::ZERO);
}

pub(super) async fn card(desk: &Desk, tour: &mut Tour<'_>) {
    let limit = CARD_LIMIT + Duration::from_secs(1);
    tour.step("card", limit, card_row(desk)).await;
}

/// Whether the card can be written, how much room it has, and for how long that lasts.
pub(crate) async fn card_row(desk: &Desk) -> Found {
    let dir: PathBuf = desk.config.ledger.dir.clone();
    let free_bytes_min = desk.config.ledger.free_bytes_min;
    let tried_dir = dir.clone();
    let tried = on_thread(desk, CARD_LIMIT, move || {
        try_write(&tried_dir).map(|()| OsDisk.free_bytes(&tried_dir))
    });
    let free_bytes = match tried.await {
        Err(why) => return Found::bad(why, "replace the card"),
        Ok(Err(error)) => {
            let words = format!("{} cannot be written: {error}", dir.display());
            let remedy = "check `ledger.dir`, its owner (try it with `sudo`), and whether the \
                          card is read-only";
            return Found::bad(words, remedy);
        }
        Ok(Ok(Err(error))) => return Found::bad(error.to_string(), "replace the card"),
        Ok(Ok(Ok(free_bytes))) => free_bytes,
    };
    let hours = desk.health.facts().card_hours_left;
    let mut words = format!("written and synced, {} MB free", free_bytes / 1_000_000);
    if let Some(hours) = hours {
        words.push_str(&format!(", enough for {} days", hours / 24));
    }
    let remedy = "export and remove old pictures, or use a larger card";
    if free_bytes < FREE_BYTES_MIN.max(free_bytes_min) {
        return Found::bad(words, remedy);
    }
    // Where a server takes the pictures, safe ones make room.
    let is_short = hours.is_some_and(|hours| hours < CARD_HOURS_MIN);
    if is_short && desk.config.server.is_none() {
        return Found::care(words, remedy);
    }
    Found::good(words)
}

fn try_write(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("selftest.part");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(b"trapline")?;
    file.sync_all()?;
    std::fs::remove_file(&path)
}

pub(super) async fn model(
    desk: &Desk,
    tour: &mut Tour<'_>,
    probes: &mut Probes,
    frame: Option<Frame>,
) {
    if !desk.config.detector.enabled {
        tour.note("model", Found::absent("switched off"), Duration::ZERO);
        return;
    }
    let remedy = "mend `detector.manifest`, or leave it out for the built-in model";
    let limit = desk.config.detector.time_limit + MODEL_SLACK;
    let work = async {
        let Some(look) = probes.look.as_mut() else {
            return Found::absent("nothing looks here");
        };
        let looked = look.job(desk.hands, limit, move |look| {
            look(frame.as_ref().map(|frame| frame.jpeg.as_slice()))
        });
        match looked.await {
            Ok(Ok(words)) => Found::good(words),
            Ok(Err(why)) => Found::bad(why, remedy),
            Err(not_back) => Found::bad(not_back_words(not_back, limit), remedy),
        }
    };
    tour.step("model", limit + Duration::from_secs(1), work)
        .await;
}

pub(super) fn clock(desk: &Desk, tour: &mut Tour<'_>) {
    tour.note("clock", clock_row(desk), Duration::ZERO);
}

/// Whether the trap knows the time.
pub(crate) fn clock_row(desk: &Desk) -> Found {
    let stamp = desk.clock.stamp();
    let now = crate::moment::utc_text(stamp.unix_ms);
    match stamp.quality {
        ClockQuality::Unset => Found::bad(
            format!("never set, it says {now}"),
            "connect the trap to a network once, or set the time with the technician's page",
        ),
        ClockQuality::Restored => Found::care(
            format!("{now}, carried on and not confirmed"),
            "connect the trap to a network once, or set the time with the technician's page",
        ),
        ClockQuality::Rtc => Found::good(format!("{now}, from the battery-backed clock")),
        ClockQuality::Synced => Found::good(format!("{now}, confirmed by the network")),
    }
}

pub(super) async fn wake(desk: &Desk, tour: &mut Tour<'_>, probes: &mut Probes) {
    let limit = WAKE_LIMIT + Duration::from_secs(1);
    tour.step("wake", limit, wake_row(desk, probes)).await;
}

/// Whether what wakes the trap takes an alarm and says the same when it is read back. The
/// alarm is taken back; the trap arms its own when it lies down.
pub(crate) async fn wake_row(desk: &Desk, probes: &mut Probes) -> Found {
    let rules = desk.config.power.rules;
    let Some(open) = probes.open_wake.as_mut() else {
        return Found::absent("nothing that wakes the trap is configured");
    };
    let now = desk.clock.stamp();
    let now_s = now.unix_ms.div_euclid(1_000);
    let uptime_s = i64::try_from(now.uptime_ms / 1_000).unwrap_or(i64::MAX);
    let tried = open.job(desk.hands, WAKE_LIMIT, move |open| {
        let mut source = open(now_s.saturating_sub(uptime_s))?;
        let ahead_s = match source.ability().when {
            WakeWhen::At { ahead_s_max } => ahead_s_max.min(WAKE_AHEAD_S),
            WakeWhen::Every { .. } => WAKE_AHEAD_S,
        };
        let armed = source.arm(now_s.saturating_add(ahead_s), now_s)?;
        source.disarm()?;
        Ok::<_, DeviceError>(armed)
    });
    let remedy = "check the part that `power.wake` names and its wires";
    let found = match tried.await {
        Ok(Ok(armed)) => {
            let at = crate::moment::utc_text(armed.wakes_unix_s.saturating_mul(1_000));
            let by = armed.by;
            return Found::good(format!(
                "the {by} took an alarm for {at}, and it was read back"
            ));
        }
        Ok(Err(fault)) => said(&device_words(&fault), remedy),
        Err(not_back) => Found::bad(not_back_words(not_back, WAKE_LIMIT), remedy),
    };
    if rules.lies_down || rules.off_when_empty {
        found
    } else {
        found.at_worst_care()
    }
}

pub(super) async fn server(desk: &Desk, tour: &mut Tour<'_>, probes: &mut Probes) {
    let work = server_row(desk, probes);
    tour.step("server", SERVER_LIMIT, work).await;
}

/// One round trip to the server.
pub(crate) async fn server_row(desk: &Desk, probes: &mut Probes) -> Found {
    let Some(server) = &desk.config.server else {
        return Found::absent("none is configured: everything stays on the card");
    };
    let remedy = "check the network, `server.url` and the trap's key";
    let Some(open) = probes.open_uplink.as_mut() else {
        return Found::absent("there is no way to it here");
    };
    let mut uplink = match open() {
        Ok(uplink) => uplink,
        Err(why) => return Found::bad(why, remedy),
    };
    // An empty batch stores nothing and is answered like any other.
    match uplink.post(&SyncBatch::default()).await {
        Err(error @ (UplinkError::Unreachable(_) | UplinkError::Unwell { .. })) => Found::bad(
            error.to_string(),
            "check aerial, SIM card and `server.url`; pictures are kept meanwhile",
        ),
        Err(error) => Found::bad(error.to_string(), remedy),
        Ok(reply) => {
            let now_ms = desk.clock.stamp().unix_ms;
            let offset_ms = reply.server_time_ms.saturating_sub(now_ms);
            let words = format!(
                "{} answers, its clock differs by {offset_ms} ms",
                server.url
            );
            if offset_ms.saturating_abs() > OFFSET_MAX_MS {
                return Found::bad(words, "set the clock of the trap or of the server");
            }
            Found::good(words)
        }
    }
}
