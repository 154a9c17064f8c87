//! Everything that the pages are made of, as plain values.
//!
//! Local times and days are worked out by who fills this in; where the clock is
//! not to be trusted they are `None`, and the pages count minutes instead.

use serde::{Deserialize, Serialize};

/// What is known of the trap at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The trap's name, shown where it fits.
    pub trap: String,
    /// What it does now.
    pub doing: Doing,
    /// Its next picture; `None` when none is planned.
    pub next: Option<NextPicture>,
    /// Today's figures.
    pub today: Today,
    /// What waits for the server.
    pub queue: Queue,
    /// The battery; `None` without a battery sensor.
    pub battery: Option<Battery>,
    /// The SD card.
    pub sd_card: SdCard,
    /// When the first of battery and SD card ends; `None` when that cannot be said,
    /// or without a trusted clock.
    pub last_day: Option<LastDay>,
    /// A check that runs, or what it came to.
    pub check: Option<Check>,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// What to scan, while there is something to join.
    pub invitation: Option<Invitation>,
}

/// What a trap does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doing {
    /// Starts.
    #[default]
    Starting,
    /// Waits for its next picture.
    Waiting,
    /// Takes a picture.
    Shooting,
    /// Looks for insects on pictures.
    Looking,
    /// Sends.
    Sending,
    /// Waits for sun: the battery is too low for pictures.
    Saving,
    /// Stops, and may then be unplugged.
    Stopping,
}

/// The next picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextPicture {
    /// How long it is until then, in minutes.
    pub in_minutes: u32,
    /// At what local time that is, if the clock is to be trusted.
    pub at: Option<TimeOfDay>,
}

/// A local time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// Figures since local midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Today {
    /// Pictures taken.
    pub pictures: u32,
    /// Insects that arrived; `None` when nobody looked.
    pub insects: Option<Insects>,
    /// Pictures that were planned and missed.
    pub missed: u32,
}

/// How many insects arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Insects {
    /// Confirmed.
    pub counted: u32,
    /// At least.
    pub low: u32,
    /// At most.
    pub high: u32,
}

/// What waits for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// Pictures that the server has not confirmed.
    pub pictures: u64,
    /// Records that the server has not confirmed.
    pub records: u64,
    /// How long ago the server last answered, in minutes; `None` if never.
    pub last_sync_minutes: Option<u64>,
}

/// The battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Battery {
    /// How full it is, 0 to 100.
    pub percent: u8,
    /// How long it lasts at the present rate, in hours; `None` when it does not
    /// sink, or when that is not known yet.
    pub hours_left: Option<u32>,
}

/// The SD card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SdCard {
    /// Free bytes.
    pub free_bytes: u64,
    /// How long they last at the present rate, in hours; `None` when nothing is added.
    pub hours_left: Option<u32>,
}

/// A local day of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDay {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A check of the whole trap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It runs.
    Running {
        /// So many of its steps are done.
        done: u32,
        /// How many there are.
        of: u32,
        /// The part that is looked at, in one or two short words.
        part: String,
    },
    /// It is over.
    Over {
        /// What it came to.
        verdict: Verdict,
        /// What was found, the worst first.
        found: Vec<Problem>,
    },
}

/// Whether a trap can be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found.
    Ready,
    /// What was found can be lived with.
    Care,
    /// It would not work.
    NotReady,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The part, in the words of the wiring table: `camera`, `climate`.
    pub part: String,
    /// What is wrong and what to do about it.
    pub words: String,
}

/// Something to scan with a phone: how to enrol the trap, or its local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What it is for, in one or two short words: `enrol`, `hotspot`.
    pub what: String,
    /// What the QR code says: an address, or the words for joining a network.
    pub scan: String,
    /// What to type who cannot scan: an address.
    pub address: String,
    /// The code or password that belongs to it.
    pub code: String,
}
