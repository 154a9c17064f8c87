//! What the status LED says: a vocabulary of blinks, each with its meaning and
//! what to do about it. Pure; whoever has the line asks what it is to be now.
//!
//! Faults are counted blinks, so that they can be told over the telephone. A
//! light beside a trap draws insects and shows in pictures: what is said is
//! short, and all is well is nearly dark. The table of the field guide is
//! written from here ([`markdown_table`]).

use std::fmt;

/// What can be said, the most important first: of several, that one is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// The button was felt.
    ButtonFelt,
    /// It is going off.
    GoingOff,
    /// A check is running.
    Checking,
    /// The check found something.
    CheckFailed,
    /// The check found nothing wrong.
    CheckPassed,
    /// It starts.
    Starting,
    /// No picture can be taken.
    NoCamera,
    /// No room for pictures.
    CardFull,
    /// Soon without power.
    BatteryLow,
    /// The time cannot be trusted.
    ClockUnset,
    /// The lamp cannot be trusted.
    LampFault,
    /// A sensor gives nothing.
    SensorFault,
    /// The button or the trigger is active all the time.
    InputStuck,
    /// Nothing was sent for long.
    NotSending,
    /// Settings are wrong, others hold.
    WrongSettings,
    /// The technician's page is open.
    PageOpen,
    /// All is well.
    Well,
}

/// How the LED blinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Lit without a break.
    Steady,
    /// On and off, as long the one as the other.
    Even {
        /// How long each, in milliseconds.
        each_ms: u32,
    },
    /// So many blinks, then a pause.
    Counted {
        /// How many.
        blinks: u8,
    },
    /// A spark from time to time.
    Spark {
        /// From one to the next, in milliseconds.
        every_ms: u32,
    },
}

/// One blink of a counted pattern, and the dark after it.
const BLINK_MS: u32 = 200;
const BETWEEN_MS: u32 = 300;
/// What ends a count.
const PAUSE_MS: u32 = 2_000;
/// Long enough to be seen at night, short enough for the battery.
const SPARK_MS: u32 = 30;

/// The LED at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Whether it is lit.
    pub lit: bool,
    /// For how long it stays so; `None` for ever.
    pub for_ms: Option<u32>,
}

impl Signal {
    /// All of them, the most important first.
    pub const ALL: [Self; 17] = [
        Self::ButtonFelt,
        Self::GoingOff,
        Self::Checking,
        Self::CheckFailed,
        Self::CheckPassed,
        Self::Starting,
        Self::NoCamera,
        Self::CardFull,
        Self::BatteryLow,
        Self::ClockUnset,
        Self::LampFault,
        Self::SensorFault,
        Self::InputStuck,
        Self::NotSending,
        Self::WrongSettings,
        Self::PageOpen,
        Self::Well,
    ];

    /// The one that is shown of several; [`Signal::Well`] of none.
    #[must_use]
    pub fn shown(of: impl IntoIterator<Item = Self>) -> Self {
        of.into_iter().min().unwrap_or(Self::Well)
    }

    /// How it blinks.
    #[must_use]
    pub fn pattern(self) -> Pattern {
        match self {
            Self::ButtonFelt => Pattern::Even { each_ms: 50 },
            Self::GoingOff => Pattern::Even { each_ms: 100 },
            Self::Checking => Pattern::Even { each_ms: 250 },
            Self::CheckFailed => Pattern::Counted { blinks: 1 },
            Self::CheckPassed => Pattern::Steady,
            Self::Starting => Pattern::Even { each_ms: 500 },
            Self::NoCamera => Pattern::Counted { blinks: 2 },
            Self::CardFull => Pattern::Counted { blinks: 3 },
            Self::BatteryLow => Pattern::Counted { blinks: 4 },
            Self::ClockUnset => Pattern::Counted { blinks: 5 },
            Self::LampFault => Pattern::Counted { blinks: 6 },
            Self::SensorFault => Pattern::Counted { blinks: 7 },
            Self::InputStuck => Pattern::Counted { blinks: 8 },
            Self::NotSending => Pattern::Counted { blinks: 9 },
            Self::WrongSettings => Pattern::Counted { blinks: 10 },
            Self::PageOpen => Pattern::Even { each_ms: 1_000 },
            Self::Well => Pattern::Spark { every_ms: 5_000 },
        }
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ButtonFelt => "the button was felt",
            Self::GoingOff => "the trap is going off",
            Self::Checking => "a check is running",
            Self::CheckFailed => "the check found something",
            Self::CheckPassed => "the check passed",
            Self::Starting => "the trap is starting",
            Self::NoCamera => "the camera gives no picture",
            Self::CardFull => "the card is full",
            Self::BatteryLow => "the battery is nearly empty",
            Self::ClockUnset => "the trap does not know the time",
            Self::LampFault => "a lamp does not do what it is told",
            Self::SensorFault => "a sensor gives no reading",
            Self::InputStuck => "the button is stuck, or the trigger blocked",
            Self::NotSending => "nothing could be sent for long",
            Self::WrongSettings => "the settings on the card are wrong; others hold",
            Self::PageOpen => "the technician's page is open",
            Self::Well => "all is well",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::ButtonFelt => "let go, or hold on for the long press",
            Self::GoingOff => "leave the power on until it is dark",
            Self::Checking => "wait",
            Self::CheckFailed => "read the display, or `trapline-agent depart`",
            Self::CheckPassed => "you may go",
            Self::Starting => "wait; after five minutes, look at the card and the power",
            Self::NoCamera => "check the camera's cable, then switch the trap off and on",
            Self::CardFull => "fetch the pictures, or put in a larger card",
            Self::BatteryLow => "change or charge the battery; clean the solar panel",
            Self::ClockUnset => "open the technician's page with a phone, which brings the time",
            Self::LampFault => "check the lamp's wires and its fuse",
            Self::SensorFault => "check the sensor's plug; the display says which one",
            Self::InputStuck => "free the button, or clear the light barrier",
            Self::NotSending => "check aerial and SIM card; pictures are kept meanwhile",
            Self::WrongSettings => "read `trapline-status.txt` on the card, mend `trapline.toml`",
            Self::PageOpen => "scan the code on the display",
            Self::Well => "nothing",
        }
    }
}

impl Pattern {
    /// The LED when the pattern has been shown for `shown_ms`.
    #[must_use]
    pub fn at(self, shown_ms: u64) -> Moment {
        match self {
            Self::Steady => Moment {
                lit: true,
                for_ms: None,
            },
            Self::Even { each_ms } => blink(shown_ms, each_ms, each_ms),
            Self::Spark { every_ms } => {
                blink(shown_ms, SPARK_MS, every_ms.saturating_sub(SPARK_MS))
            }
            Self::Counted { blinks } => {
                let step_ms = BLINK_MS + BETWEEN_MS;
                let counted_ms = u32::from(blinks) * step_ms;
                let round_ms = counted_ms + PAUSE_MS;
                let in_round_ms = within(shown_ms, round_ms);
                let is_last = in_round_ms + step_ms >= counted_ms;
                let after_ms = if is_last {
                    BETWEEN_MS + PAUSE_MS
                } else {
                    BETWEEN_MS
                };
                if in_round_ms >= counted_ms {
                    return Moment {
                        lit: false,
                        for_ms: Some(round_ms - in_round_ms),
                    };
                }
                let in_step_ms = in_round_ms % step_ms;
                let lit = in_step_ms < BLINK_MS;
                let end_ms = if lit { BLINK_MS } else { BLINK_MS + after_ms };
                Moment {
                    lit,
                    for_ms: Some(end_ms - in_step_ms),
                }
            }
        }
    }
}

fn blink(shown_ms: u64, lit_ms: u32, dark_ms: u32) -> Moment {
    let in_round_ms = within(shown_ms, lit_ms + dark_ms);
    let lit = in_round_ms < lit_ms;
    let end_ms = if lit { lit_ms } else { lit_ms + dark_ms };
    Moment {
        lit,
        for_ms: Some(end_ms - in_round_ms),
    }
}

/// Where in a round of `round_ms` that repeats a moment is.
fn within(shown_ms: u64, round_ms: u32) -> u32 {
    u32::try_from(shown_ms % u64::from(round_ms.max(1))).unwrap_or(0)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady => f.write_str("lit without a break"),
            Self::Even { each_ms: ..=60 } => f.write_str("flickering"),
            Self::Even { each_ms: ..=150 } => f.write_str("blinking very fast"),
            Self::Even { each_ms: ..=300 } => f.write_str("blinking fast"),
            Self::Even { each_ms: ..=600 } => f.write_str("blinking once a second"),
            Self::Even { each_ms } => write!(f, "{} s on, {0} s off", each_ms / 1_000),
            Self::Counted { blinks: 1 } => f.write_str("1 blink, a pause"),
            Self::Counted { blinks } => write!(f, "{blinks} blinks, a pause"),
            Self::Spark { every_ms } => write!(f, "a spark every {} s", every_ms / 1_000),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pattern(), self.meaning())
    }
}

/// The vocabulary as a table for the field guide, the most important first.
#[must_use]
pub fn markdown_table() -> String {
    let rows = Signal::ALL.map(|signal| {
        let (pattern, meaning, remedy) = (signal.pattern(), signal.meaning(), signal.remedy());
        format!("| {pattern} | {meaning} | {remedy} |\n")
    });
    format!(
        "| the LED | means | what to do |\n|---|---|---|\n{}",
        rows.concat()
    )
}

#[cfg(test)]
mod tests;
