//! What a technician reads of updates, without asking anything but the card.

use super::record::{Record, UpdateState};
use crate::moment::utc_text;
use crate::status::update_words;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What is known of updates on this card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The slot that runs, as the boot loader named it; `null` on a card with one system.
    pub slot: Option<String>,
    /// The version of the agent that is asked.
    pub version: String,
    /// All that the record says.
    pub record: Record,
}

impl Known {
    /// Reads the record.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            slot: trapline_hal::pi::boot_slot::booted_slot(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            record: Record::read(dir)?,
        })
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.slot {
            Some(slot) => writeln!(f, "System      {} in slot {slot}", self.version)?,
            None => writeln!(f, "System      {}, on a card with one system", self.version)?,
        }
        for (slot, note) in &self.record.slots {
            let when = utc_text(note.confirmed_ms);
            let version = match note.version.as_str() {
                "" => "as the card was made",
                version => version,
            };
            writeln!(f, "Slot {slot}      {version}, good since {when}")?;
        }
        match &self.record.update {
            None => writeln!(f, "Updates     none yet")?,
            Some(update) => {
                let (words, when) = (update_words(&update.state), utc_text(update.since_ms));
                writeln!(f, "Last update {} {words} ({when})", update.version)?;
            }
        }
        if let Some(update) = &self.record.update
            && update.state == UpdateState::Installed
            && let Some(why) = &self.record.trial_failure
        {
            writeln!(f, "            its last trial failed: {why}")?;
        }
        for refused in &self.record.refused {
            writeln!(
                f,
                "Not again   {}: {} (`update install` tries it all the same)",
                refused.version, refused.reason
            )?;
        }
        Ok(())
    }
}
