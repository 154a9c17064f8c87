//! What a technician writes on the card, rightly and wrongly, and what becomes of it.

use super::Bench;
use super::power::Powered;
use crate::say;
use crate::trap::Server;
use anyhow::{Context as _, Result, bail};

/// The name that the trap gets.
pub(super) const NAME: &str = "boot-test";
/// How often a picture is taken where many are wanted.
pub(super) const OFTEN: &str = "10s";
/// Where the guest finds the desk's own loopback.
const DESK: &str = "10.0.2.2";

/// The settings of a trap with the devices that are laid over the image.
pub(super) fn settings(server: &Server, every: &str) -> Result<String> {
    Ok(format!(
        "{}[agent.camera]\nkind = \"uvc\"\ndevice = \"Rig_camera\"\nwarm_up_frames = 1\nsettle = \"0s\"\n\n\
         [agent.sensors]\nclimate = [\"sht3x\"]\nlight = [\"bh1750\"]\nbattery = [\"ina219\"]\nbus = 0\n\n\
         [agent.display]\nkind = \"ssd1306\"\nbus = 0\nsleep_after = \"60m\"\n",
        own(server, every)?
    ))
}

/// The settings of a trap on the emulator's model of a Pi, which has no devices but the kernel's test picture.
pub(super) fn pi_settings(server: &Server) -> Result<String> {
    Ok(format!(
        "{}[agent.camera]\nkind = \"uvc\"\ndevice = \"vivid\"\nwarm_up_frames = 1\nsettle = \"0s\"\n",
        own(server, "1m")?
    ))
}

fn own(server: &Server, every: &str) -> Result<String> {
    let port = server
        .url
        .rsplit(':')
        .next()
        .context("the server has no port")?;
    let token = server.enrolment_token()?;
    Ok(format!(
        "[trap]\nname = \"{NAME}\"\nlatitude = 50.5\nlongitude = 9.25\n\n\
         [server]\nurl = \"http://{DESK}:{port}\"\ntoken = \"{token}\"\n\n\
         [agent.schedule]\nevery = \"{every}\"\n\n\
         [agent.sync]\nretry_min = \"1s\"\nretry_max = \"10s\"\n\n"
    ))
}

/// A card that was edited wrongly: what was done to it, and what the status file has to say.
struct Broken {
    about: &'static str,
    spoil: fn(&str) -> String,
    says: &'static str,
}

const BROKEN: [Broken; 3] = [
    Broken {
        about: "a quotation mark is missing",
        spoil: |good| good.replacen("name = \"boot-test\"", "name = \"boot-test", 1),
        says: "trapline.toml:2:",
    },
    Broken {
        about: "a word is misspelt",
        spoil: |good| good.replacen("latitude", "lattitude", 1),
        says: "latitude",
    },
    Broken {
        about: "a value is out of range",
        spoil: |good| good.replacen("latitude = 50.5", "latitude = 505.0", 1),
        says: "latitude",
    },
];

/// Boots a trap with a good card, then with three broken ones: it goes on with the last good settings, and says what
/// is wrong on the card and on the display. Then one that was broken from the beginning.
pub(super) fn run(bench: &Bench<'_>) -> Result<()> {
    say::step("three cards with broken settings");
    let folder = bench.fresh("card")?;
    let server = Server::start(bench.programs, &folder.join("server"), "127.0.0.1:0")?;
    let good = settings(&server, OFTEN)?;
    let disk = bench.disk(&folder)?;
    disk.put_on_card("trapline.toml", &good)?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up()?;
    captures_go_on(&mut powered)?;
    powered.off()?;
    for broken in &BROKEN {
        disk.put_on_card("trapline.toml", &(broken.spoil)(&good))?;
        let mut powered = bench.desk.power_on(&disk, &folder)?;
        powered.up()?;
        captures_go_on(&mut powered).with_context(|| format!("a card where {}", broken.about))?;
        shown(&mut powered, broken)?;
        powered.off()?;
        told(&disk.card_file("trapline-status.txt")?, broken)?;
        say::line(&format!("held: {}", broken.about));
    }
    from_the_beginning(bench)
}

/// A fresh card that was never right: the defaults hold, and they have no camera, so it says so and waits.
fn from_the_beginning(bench: &Bench<'_>) -> Result<()> {
    let folder = bench.fresh("card-first")?;
    let disk = bench.disk(&folder)?;
    disk.put_on_card("trapline.toml", "this is no settings file\n")?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up()?;
    powered.until("the agent", "systemctl is-active trapline-agent", |text| {
        text.trim() == "active"
    })?;
    powered.off()?;
    let status = disk.card_file("trapline-status.txt")?;
    if !status.contains("trapline.toml:1:") {
        bail!("the status file does not say where the error is: {status}");
    }
    say::line("held: a fresh card that was never right boots, with the defaults");
    Ok(())
}

/// Two more pictures are taken.
fn captures_go_on(powered: &mut Powered) -> Result<()> {
    let count = "trapline-agent status --json 2>/dev/null | tr -d '\\n'";
    let before =
        captures(&powered.until("the trap's status", count, |text| captures(text).is_some())?);
    let enough = before.unwrap_or(0) + 2;
    powered.until("two more captures", count, |text| {
        captures(text).is_some_and(|now| now >= enough)
    })?;
    Ok(())
}

fn captures(status: &str) -> Option<u64> {
    let status: serde_json::Value = serde_json::from_str(status).ok()?;
    status.get("captures")?.as_u64()
}

fn shown(powered: &mut Powered, broken: &Broken) -> Result<()> {
    let machine = &powered.machine;
    let mut words = String::new();
    crate::process::until("the error on the display", super::ARRIVAL_MAX, || {
        words = machine.bus("display words")?;
        Ok(words.to_lowercase().contains("card") || words.contains("trapline.toml"))
    })
    .with_context(|| {
        format!(
            "{}; the display says: {}",
            broken.about,
            words.replace('\n', " | ")
        )
    })
}

fn told(status: &str, broken: &Broken) -> Result<()> {
    if status.contains(broken.says) {
        return Ok(());
    }
    bail!(
        "a card where {}: trapline-status.txt does not say `{}`: {status}",
        broken.about,
        broken.says
    )
}
