//! `trapline-status.txt`: the trap's answer on the partition that every
//! computer reads.
//!
//! FAT has no journal, and a power cut while it is written can cost the whole
//! partition, boot files included. So it is mounted for writing only for the
//! moment, and written only when something changed that a technician wants to
//! know; the moments at the end of the file are no such change.

use super::apply::Applied;
use super::durable::{self, Access};
use super::system::System;
use super::understood::Line;
use crate::config::card::CARD_FILE;
use crate::moment::utc_text;
use crate::page::password::Password;
use crate::status::Status;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// How the file is called.
pub const STATUS_FILE: &str = "trapline-status.txt";
/// Parts of the file, told apart by the rewriting trap.
const TRAP_MARK: &str = "---- The trap ----";
const MOMENT_MARK: &str = "---- When this was written ----";

/// Writes the file when the settings' part of it changed; says whether it was written.
///
/// # Errors
/// What the system says.
pub fn write_settings(card: &Path, system: &dyn System, applied: &Applied) -> io::Result<bool> {
    let settings = settings_part(applied);
    let kept = std::fs::read_to_string(card.join(STATUS_FILE)).unwrap_or_default();
    let kept = kept.replace("\r\n", "\n");
    if kept.split(TRAP_MARK).next() == Some(settings.as_str()) {
        return Ok(false);
    }
    let rest = "The trap has just started. More stands here after its first pictures.\n";
    let text = format!("{settings}{TRAP_MARK}\n{rest}");
    write(card, system, &text)
}

/// Writes the file when anything but the moments changed; says whether it was written.
///
/// # Errors
/// What the system says.
pub fn write_all(
    card: &Path,
    system: &dyn System,
    applied: &Applied,
    status: &Status,
) -> io::Result<bool> {
    let password = Password::kept(&applied.ledger_dir);
    let trap = trap_part(status, &system.addresses(), password.as_ref());
    let lasting = format!("{}{TRAP_MARK}\n{trap}", settings_part(applied));
    let kept = std::fs::read_to_string(card.join(STATUS_FILE)).unwrap_or_default();
    let kept = kept.replace("\r\n", "\n");
    if kept.split(MOMENT_MARK).next() == Some(lasting.as_str()) {
        return Ok(false);
    }
    let text = format!("{lasting}{MOMENT_MARK}\n{}", moment_part(status));
    write(card, system, &text)
}

fn write(card: &Path, system: &dyn System, text: &str) -> io::Result<bool> {
    let is_read_only = system.is_mounted_read_only(card);
    if is_read_only {
        system.remount(card, true)?;
    }
    let text = text.replace('\n', "\r\n");
    let written = durable::write(&card.join(STATUS_FILE), text.as_bytes(), Access::ALL);
    if is_read_only {
        system.remount(card, false)?;
    }
    written
}

fn settings_part(applied: &Applied) -> String {
    let handover = &applied.handover;
    let mut text = format!(
        "What this trap understood of {CARD_FILE}. The trap writes this file; to change\n\
         something, change {CARD_FILE}, and start the trap again.\n\n"
    );
    if handover.problems.is_empty() && !handover.troubles.is_empty() {
        text.push_str("SETTINGS: understood, but not all could be done.\n");
    } else if handover.problems.is_empty() {
        text.push_str("SETTINGS: understood, all of them hold.\n");
    } else {
        let _infallible = writeln!(
            text,
            "SETTINGS: NOT USED. {}.",
            capital(&handover.held.to_string())
        );
    }
    for problem in &handover.problems {
        let _infallible = writeln!(text, "  * {problem}");
    }
    for trouble in &handover.troubles {
        let _infallible = writeln!(text, "  * {trouble}");
    }
    for note in &applied.notes {
        let _infallible = writeln!(text, "  Note: {note}");
    }
    text.push('\n');
    for Line { about, words } in &applied.understood {
        let _infallible = writeln!(text, "{about:<11} {words}");
    }
    let _infallible = writeln!(
        text,
        "{:<11} trapline-agent {}\n",
        "Software",
        env!("CARGO_PKG_VERSION")
    );
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// What lasts for a while: steps that were reached, not counts.
fn trap_part(status: &Status, addresses: &[String], page: Option<&Password>) -> String {
    let step =
        |is_done: bool, done: &'static str, not: &'static str| if is_done { done } else { not };
    let mut text = String::new();
    let addresses = match addresses {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    let lines = [
        ("Addresses", addresses),
        (
            "Page",
            page.map_or("not opened yet".to_owned(), |p| {
                format!("password {}", p.shown())
            }),
        ),
        (
            "Agent",
            step(status.running, "running", "not running").to_owned(),
        ),
        (
            "Ledger",
            status.ledger.clone().unwrap_or("none yet".to_owned()),
        ),
        (
            "Pictures",
            step(status.captures > 0, "are taken", "none taken yet").to_owned(),
        ),
        (
            "Server",
            step(
                status.last_sync_ms.is_some(),
                "was reached since the start",
                "not reached since the start",
            )
            .to_owned(),
        ),
    ];
    for (about, words) in lines {
        let _infallible = writeln!(text, "{about:<11} {words}");
    }
    if let Some(enrolment) = &status.enrolment {
        let _infallible = writeln!(text, "Enrolment   {enrolment}");
    }
    for fault in &status.faults {
        let _infallible = writeln!(text, "FAULT       {}: {}", fault.part, fault.message);
    }
    text.push('\n');
    text
}

fn moment_part(status: &Status) -> String {
    let mut text = String::new();
    let moments = [
        ("Written", Some(status.read_ms())),
        ("Picture", status.last_capture_ms),
        ("Server", status.last_sync_ms),
    ];
    for (about, at_ms) in moments {
        let when = at_ms.map_or("never".to_owned(), utc_text);
        let _infallible = writeln!(text, "{about:<11} {when}");
    }
    let _infallible = writeln!(text, "{:<11} {} taken", "Pictures", status.captures);
    text
}
