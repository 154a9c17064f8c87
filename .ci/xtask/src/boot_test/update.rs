//! Updates: a good one, one that somebody else signed, one that is cut while it is written, and one that is no good.

use super::disk::{self, Laid};
use super::power::Powered;
use super::{Bench, card};
use crate::process;
use crate::say;
use crate::trap::Server;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Copying a slot on an emulated machine takes its time.
const UPDATE_MAX: Duration = Duration::from_secs(1_800);
/// A trap starts anew only where no picture is due within three minutes.
const EVERY: &str = "5m";
/// Where an image that takes updates keeps who may sign, and its slots.
const KEYRING: &str = "/etc/rauc/keyring.pem";
const SETTINGS: &str = "/etc/rauc/system.conf";

/// A key with its certificate.
struct Signer {
    certificate: PathBuf,
    key: PathBuf,
}

pub(super) fn run(bench: &Bench<'_>) -> Result<()> {
    say::step("updates: somebody else's, cut short, a good one, and one that is no good");
    let folder = bench.fresh("update")?;
    let ours = signer(&folder, "ours")?;
    let theirs = signer(&folder, "theirs")?;
    let slot = slot(bench, &folder, &ours, None)?;
    let good = bundle(&folder.join("good.raucb"), &slot, &ours, "0.2.0")?;
    // Its signature is looked at first, so what it holds may be small.
    let small = bench.made.join("u-boot.bin");
    let foreign = bundle(&folder.join("foreign.raucb"), &small, &theirs, "0.2.1")?;
    let server = Server::start(bench.programs, &folder.join("server"), "127.0.0.1:0")?;
    let disk = bench.disk(&folder)?;
    disk.lay(super::SLOT_A, &taking_updates(&ours), &[])?;
    disk.put_on_card("trapline.toml", &card::settings(&server, EVERY)?)?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up()?;
    runs_from(&mut powered, "A")?;
    // An update is offered to traps that the server knows.
    process::until("the trap's first capture", super::ARRIVAL_MAX, || {
        Ok(server.counts()?.captures > 0)
    })?;

    refused(&mut powered, &server, &foreign)?;
    say::line("held: an update that somebody else signed is refused");

    server.offer_update(&good, "0.2.0")?;
    powered.until_within("the update being written", UPDATE_MAX, WRITING, |text| {
        text.trim() == "writing"
    })?;
    process::pause(4_000);
    powered.cut()?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up().context("the boot after a cut in an update")?;
    runs_from(&mut powered, "A")?;
    say::line("held: a cut while a slot is written leaves the other at work");

    powered.until_within("the new slot, confirmed", UPDATE_MAX, SLOT, |text| {
        text.contains("rauc.slot=B")
    })?;
    confirmed(&mut powered)?;
    say::line("held: the update is written again, boots, proves itself and is confirmed");

    // What is confirmed stays, whatever the power does.
    powered.cut()?;
    let mut powered = bench.desk.power_on(&disk, &folder)?;
    powered.up()?;
    runs_from(&mut powered, "B")?;

    let broken = slot_with_no_agent(bench, &folder, &ours)?;
    let broken = bundle(&folder.join("broken.raucb"), &broken, &ours, "0.3.0")?;
    server.offer_update(&broken, "0.3.0")?;
    // Its starts end before a shell is there, so the boot loader has to tell.
    process::until(
        "the last try of the slot that is no good",
        UPDATE_MAX,
        || Ok(powered.console().contains(LAST_TRY)),
    )
    .or_else(|error| powered.with_logs(error))?;
    powered.until_within("the return to the slot before", UPDATE_MAX, SLOT, |text| {
        text.contains("rauc.slot=B")
    })?;
    powered.until_within("what is said of it", UPDATE_MAX, SAID, |text| {
        text.contains("0.3.0") && text.contains("did not prove itself")
    })?;
    say::line(
        "held: an update that does not become healthy is given up, and the slot before goes on",
    );
    powered.off()
}

/// What the boot loader says at the third start of a slot that did not prove itself.
const LAST_TRY: &str = "slot A: on trial, tries left: 1";
/// All that the card knows of updates.
const SAID: &str = "trapline-agent update status 2>&1";
/// Says `writing` while a slot is written.
const WRITING: &str =
    "systemctl show -p ActiveState --value trapline-update.service | sed s/activating/writing/";
/// The kernel's line, which names the slot that runs.
const SLOT: &str = "cat /proc/cmdline";

impl Powered {
    /// Waits across reboots for what a line of shell prints.
    fn until_within(
        &mut self,
        what: &str,
        patience: Duration,
        line: &str,
        is_so: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let machine = &mut self.machine;
        let waited = process::until(what, patience, || {
            // A guest that starts anew is silent for a while.
            let found = match machine.ask(line) {
                Ok(answer) => is_so(&answer.text),
                Err(error) if machine.is_off() => return Err(error),
                Err(_) => false,
            };
            if !found {
                process::pause(1_000);
            }
            Ok(found)
        });
        waited.or_else(|error| self.with_logs(error))
    }
}

fn runs_from(powered: &mut Powered, slot: &str) -> Result<()> {
    let line = powered.machine.tell(SLOT)?;
    if !line.contains(&format!("rauc.slot={slot}")) {
        bail!("it should run from slot {slot}; its kernel's line is: {line}");
    }
    Ok(())
}

/// The slot that runs counts as good, and the agent runs from it.
fn confirmed(powered: &mut Powered) -> Result<()> {
    powered.until(
        "the slot to be confirmed",
        "fw_printenv BOOT_B_LEFT 2>&1",
        |text| text.trim() == "BOOT_B_LEFT=9",
    )?;
    powered.until("the agent", "systemctl is-active trapline-agent", |text| {
        text.trim() == "active"
    })?;
    Ok(())
}

/// An update that is taken from a file on the trap itself, signed by somebody else.
fn refused(powered: &mut Powered, server: &Server, foreign: &Path) -> Result<()> {
    server.offer_update(foreign, "0.2.1")?;
    powered.until_within("the refusal", UPDATE_MAX, SAID, |text| {
        text.contains("0.2.1") && text.contains("signature")
    })?;
    runs_from(powered, "A")
}

/// A copy of the slot with the devices of the test, and `more` over it.
fn slot(bench: &Bench<'_>, folder: &Path, ours: &Signer, more: Option<Laid>) -> Result<PathBuf> {
    let name = if more.is_some() {
        "broken.img"
    } else {
        "slot.img"
    };
    let copy = folder.join(name);
    let mut cp = Command::new("cp");
    cp.arg("--sparse=always").arg(bench.made.join("slot.img"));
    process::run(cp.arg(&copy))?;
    let mut files = bench.extras.files.clone();
    files.extend(taking_updates(ours));
    files.extend(more);
    disk::lay(&copy.display().to_string(), &files, &bench.extras.links())?;
    Ok(copy)
}

/// A slot whose agent ends at once.
fn slot_with_no_agent(bench: &Bench<'_>, folder: &Path, ours: &Signer) -> Result<PathBuf> {
    let from = folder.join("no-agent");
    std::fs::write(&from, "#!/bin/sh\necho this agent is no good >&2\nexit 1\n")?;
    let agent = Laid {
        from,
        to: "/usr/bin/trapline-agent".to_owned(),
        is_program: true,
    };
    slot(bench, folder, ours, Some(agent))
}

/// What an image has that was made with `--update-cert`.
fn taking_updates(signer: &Signer) -> Vec<Laid> {
    let settings = process::root().join("image/root/etc/rauc/system.conf");
    [(signer.certificate.clone(), KEYRING), (settings, SETTINGS)]
        .map(|(from, to)| Laid {
            from,
            to: to.to_owned(),
            is_program: false,
        })
        .into()
}

/// A key that signs itself, made as docs/UPDATES.md tells a group to.
fn signer(folder: &Path, name: &str) -> Result<Signer> {
    let signer = Signer {
        certificate: folder.join(format!("{name}-cert.pem")),
        key: folder.join(format!("{name}-key.pem")),
    };
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec"])
        .args([
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "7300",
        ])
        .args(["-subj", &format!("/CN={name}")])
        .args(["-addext", "keyUsage=critical,digitalSignature", "-keyout"])
        .arg(&signer.key)
        .arg("-out")
        .arg(&signer.certificate);
    process::output(&mut make)?;
    Ok(signer)
}

fn bundle(out: &Path, slot: &Path, signer: &Signer, version: &str) -> Result<PathBuf> {
    crate::image::bundle::run(&crate::cli::BundleArgs {
        slot_image: slot.to_owned(),
        cert: signer.certificate.clone(),
        key: signer.key.clone(),
        version: Some(version.to_owned()),
        out: out.to_owned(),
    })?;
    Ok(out.to_owned())
}
