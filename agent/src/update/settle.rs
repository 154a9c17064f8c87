//! What the running slot is, decided once at each start, as root and before the agent:
//! good, on trial, or the wrong one.
//!
//! A trial is held only where there is a slot to go back to that proved itself before. A
//! fresh card has none, and an unplugged camera must not make it start over and over.

use super::permission;
use super::rauc::{Rauc, Slot};
use super::record::{Record, RefusedBundle, SlotNote, Update, UpdateState, take_trial};
use anyhow::Context as _;
use std::path::PathBuf;

/// So often the boot loader is sent back to a proven slot that it left, as after starts that a
/// weak battery cut; then the older one is stayed with.
const SENT_BACK_MAX: u32 = 3;

/// What the start was decided to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The slot is good and marked so.
    Good,
    /// It has to prove itself first.
    Trial,
    /// Another slot is the right one; the system is to be started anew.
    Restart,
}

/// Where all of this works.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of updates.
    pub dir: PathBuf,
    /// Word of this boot.
    pub run_dir: PathBuf,
    /// The slot that runs, as the boot loader names it.
    pub slot: String,
    /// Whether the boot loader counts the starts of this slot. It does not count those of a
    /// slot that was confirmed, so nothing may start such a one over and over.
    pub is_counted: bool,
    /// The system can install updates. One without a key of whoever signs them has no settings of
    /// RAUC, which then waits half a minute for a service that does not start.
    pub takes_updates: bool,
    /// RAUC.
    pub rauc: Rauc,
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Good,
    Trial,
    GoBack(Slot),
}

/// Decides what the running slot is and leaves word of it.
///
/// # Errors
/// When nothing can be decided in a slot whose starts are counted, so that another start, or
/// the other slot, is the better way.
pub fn settle(place: &Place, now_ms: i64) -> anyhow::Result<Settled> {
    match settle_by_record(place, now_ms) {
        Err(error) if !place.is_counted => {
            log::error!(
                "{error:#}; the boot loader holds slot {} for good",
                place.slot
            );
            permission::confirm(&place.slot, &place.run_dir)?;
            Ok(Settled::Good)
        }
        settled => settled,
    }
}

fn settle_by_record(place: &Place, now_ms: i64) -> anyhow::Result<Settled> {
    let mut record = Record::read_or_none(&place.dir);
    if is_plainly_good(place, &record) {
        permission::confirm(&place.slot, &place.run_dir)?;
        return Ok(Settled::Good);
    }
    let slots = match place.rauc.slots() {
        Ok(slots) => slots,
        Err(error) => return without_rauc(place, &record, &error),
    };
    let booted = slots.iter().find(|slot| slot.boot_name == place.slot);
    let booted = booted.with_context(|| format!("RAUC knows no slot {}", place.slot))?;
    match decide(&record, booted, &slots) {
        Decision::Trial if place.is_counted => {
            log::info!("slot {} is new and has to prove itself", place.slot);
            permission::want_trial(&place.slot, &place.run_dir)?;
            Ok(Settled::Trial)
        }
        Decision::GoBack(to) => {
            record.sent_back += 1;
            record.keep(&place.dir)?;
            place.rauc.mark_active(&to)?;
            log::warn!(
                "the boot loader left slot {}, which is good; back to it",
                to.boot_name
            );
            Ok(Settled::Restart)
        }
        Decision::Good | Decision::Trial => {
            if let Some(failed) = returned(&mut record, booted, &slots, now_ms) {
                // Its remaining tries are not used up later, at a start that something else cut.
                place.rauc.mark_bad(&failed)?;
                record.keep(&place.dir)?;
            }
            confirm_slot(place, &mut record, booted, now_ms)?;
            Ok(Settled::Good)
        }
    }
}

/// The trial of the running slot passed: it is good from now on.
///
/// # Errors
/// When RAUC does not mark it, or the record cannot be kept; then the slot is not confirmed.
pub fn confirm(place: &Place, now_ms: i64) -> anyhow::Result<()> {
    if !permission::is_trial_wanted(&place.run_dir) {
        return Ok(());
    }
    let slots = place.rauc.slots()?;
    let booted = slots.iter().find(|slot| slot.boot_name == place.slot);
    let booted = booted.with_context(|| format!("RAUC knows no slot {}", place.slot))?;
    let mut record = Record::read_or_none(&place.dir);
    let known = record.update.take();
    let update = known.filter(|update| update.state == UpdateState::Installed);
    // One that was installed by hand is an update, too.
    record.update = Some(update.unwrap_or_else(|| Update {
        version: booted.version.clone(),
        sha256: String::new(),
        state: UpdateState::Installed,
        since_ms: now_ms,
    }));
    record.step(UpdateState::Confirmed, now_ms);
    record.trial_failure = None;
    confirm_slot(place, &mut record, booted, now_ms)
}

/// The trial's service ended with this result, in the service manager's words: keeps why it failed.
///
/// # Errors
/// When the record cannot be kept.
pub fn trial_ended(place: &Place, result: &str) -> anyhow::Result<()> {
    if result == "success" || !permission::is_trial_wanted(&place.run_dir) {
        return Ok(());
    }
    let said = take_trial(&place.dir).and_then(|report| report.reason);
    let why = said.unwrap_or_else(|| match result {
        "timeout" => "its trial did not end in time".to_owned(),
        other => format!("its trial ended without a report ({other})"),
    });
    let mut record = Record::read_or_none(&place.dir);
    record.trial_failure = Some(why);
    record.keep(&place.dir)
}

/// Whether there is nothing to decide and nothing to mark, as at nearly every start; RAUC's
/// service is not started for that, and the first picture comes seconds earlier.
fn is_plainly_good(place: &Place, record: &Record) -> bool {
    let is_current = record.current.as_deref() == Some(&place.slot);
    !place.is_counted && !is_pending(record) && (is_current || !place.takes_updates)
}

/// An update waits for its first start, or for its end.
fn is_pending(record: &Record) -> bool {
    let state = record.update.as_ref().map(|update| &update.state);
    matches!(state, Some(UpdateState::Installed | UpdateState::Ready))
}

fn decide(record: &Record, booted: &Slot, slots: &[Slot]) -> Decision {
    let is_proven = |slot: &Slot| {
        let note = record.slots.get(&slot.boot_name);
        note.is_some_and(|note| note.content == slot.content)
    };
    let other = slots
        .iter()
        .find(|slot| slot.boot_name != booted.boot_name && is_proven(slot));
    if is_proven(booted) {
        let left = other.filter(|slot| record.current.as_ref() == Some(&slot.boot_name));
        return match left {
            Some(left) if record.sent_back < SENT_BACK_MAX => Decision::GoBack(left.clone()),
            _ => Decision::Good,
        };
    }
    match other {
        Some(other) if other.is_bootable => Decision::Trial,
        _ => Decision::Good,
    }
}

/// Notes that an update was installed, and that this is not it; gives the slot that failed.
fn returned(record: &mut Record, booted: &Slot, slots: &[Slot], now_ms: i64) -> Option<Slot> {
    let update = record.update.as_ref()?;
    let is_proven = record.slots.get(&booted.boot_name)?.content == booted.content;
    if update.state != UpdateState::Installed || !is_proven {
        return None;
    }
    let failed = slots
        .iter()
        .find(|slot| slot.boot_name != booted.boot_name)?;
    let unsaid = "it was started and did not come up".to_owned();
    let reason = record.trial_failure.take().unwrap_or(unsaid);
    let (version, sha256) = (update.version.clone(), update.sha256.clone());
    log::warn!("the update to {version} is taken back: {reason}");
    record.refuse(RefusedBundle {
        sha256,
        version,
        reason: reason.clone(),
    });
    record.step(UpdateState::Returned { reason }, now_ms);
    Some(failed.clone())
}

/// In this order a cut leaves a slot that is confirmed once more, and never one that is marked
/// good without a note of it.
fn confirm_slot(
    place: &Place,
    record: &mut Record,
    booted: &Slot,
    now_ms: i64,
) -> anyhow::Result<()> {
    let known = record.slots.get(&booted.boot_name);
    let is_known = known.is_some_and(|note| note.content == booted.content);
    if !is_known || record.current.as_ref() != Some(&booted.boot_name) {
        let note = SlotNote {
            content: booted.content.clone(),
            version: booted.version.clone(),
            confirmed_ms: now_ms,
        };
        record.slots.insert(booted.boot_name.clone(), note);
        record.current = Some(booted.boot_name.clone());
        record.sent_back = 0;
        record.keep(&place.dir)?;
    }
    place.rauc.mark_good()?;
    let left = permission::confirm(&place.slot, &place.run_dir);
    left.with_context(|| format!("no word can be left in {}", place.run_dir.display()))
}

/// RAUC does not answer. A slot that is known as the good one goes on, though its count is not
/// set back; any other is better started anew.
fn without_rauc(place: &Place, record: &Record, error: &anyhow::Error) -> anyhow::Result<Settled> {
    let is_current = record.current.as_deref() == Some(&place.slot);
    if is_current && !is_pending(record) {
        log::error!("{error:#}; slot {} was good before and goes on", place.slot);
        permission::confirm(&place.slot, &place.run_dir)?;
        return Ok(Settled::Good);
    }
    anyhow::bail!("slot {} is not known to be good, and {error:#}", place.slot);
}

#[cfg(test)]
mod tests;
