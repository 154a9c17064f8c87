//! Whether the processor gets enough power and stays cool enough: the flags
//! that a Pi's firmware keeps, now and since boot, in words with a remedy.
//!
//! Source: Raspberry Pi documentation, *vcgencmd*, `get_throttled`: bits 0 to 3
//! are now, bits 16 to 19 since boot.

use crate::error::DeviceError;
use serde::Serialize;
use std::fmt;

/// Something that holds the processor back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strain {
    /// Its supply fell below about 4.63 V.
    Undervoltage,
    /// Its frequency was limited.
    Capped,
    /// It was slowed down.
    Throttled,
    /// It reached the temperature at which it slows down a little.
    Hot,
}

impl Strain {
    const ALL: [(Self, u32); 4] = [
        (Self::Undervoltage, 0),
        (Self::Capped, 1),
        (Self::Throttled, 2),
        (Self::Hot, 3),
    ];
    /// How far the bits since boot are above those of now.
    const SINCE_BOOT: u32 = 16;

    fn remedy(self) -> &'static str {
        match self {
            Self::Undervoltage => {
                "use a shorter and thicker cable to the Pi, or a converter that gives 5.1 V and 3 A"
            }
            Self::Capped | Self::Throttled => "look at its supply first, then at its temperature",
            Self::Hot => "shade the trap, or give the processor a heat sink",
        }
    }
}

impl fmt::Display for Strain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undervoltage => "too little voltage at the processor",
            Self::Capped => "processor limited in frequency",
            Self::Throttled => "processor slowed down",
            Self::Hot => "processor hot",
        })
    }
}

/// Whatever tells how the processor is supplied.
pub trait Supply: Send {
    /// What holds the processor back, now and since boot.
    ///
    /// # Errors
    /// When nothing tells, in words.
    fn strains(&mut self) -> Result<Strains, DeviceError>;
}

/// What held the processor back, now and since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strains {
    bits: u32,
}

impl Strains {
    /// From the firmware's word, as `vcgencmd get_throttled` says it:
    /// `throttled=0x50005`. `None` when it says something else.
    #[must_use]
    pub fn parse(said: &str) -> Option<Self> {
        let digits = said.trim().strip_prefix("throttled=0x")?;
        let bits = u32::from_str_radix(digits, 16).ok()?;
        Some(Self { bits })
    }

    /// These, and too little voltage now.
    #[must_use]
    pub fn with_undervoltage_now(self) -> Self {
        let bits = self.bits | 1 | 1 << Strain::SINCE_BOOT;
        Self { bits }
    }

    /// These, and those of `earlier` as since boot.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let was = earlier.bits | earlier.bits << Strain::SINCE_BOOT;
        let was = was >> Strain::SINCE_BOOT << Strain::SINCE_BOOT;
        Self {
            bits: self.bits | was,
        }
    }

    /// Whether `strain` holds now.
    #[must_use]
    pub fn now(self, strain: Strain) -> bool {
        self.all(0).any(|found| found == strain)
    }

    /// Whether `strain` held at some time since boot.
    #[must_use]
    pub fn since_boot(self, strain: Strain) -> bool {
        self.now(strain) || self.all(Strain::SINCE_BOOT).any(|found| found == strain)
    }

    fn all(self, above: u32) -> impl Iterator<Item = Strain> {
        let set = move |bit: u32| self.bits >> (bit + above) & 1 == 1;
        let strains = Strain::ALL.into_iter();
        strains.filter_map(move |(strain, bit)| set(bit).then_some(strain))
    }

    /// Each strain with its remedy, the worst first; empty when all is well.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        let strains = Strain::ALL.into_iter().map(|(strain, _)| strain);
        strains
            .filter(|strain| self.since_boot(*strain))
            .map(|strain| {
                let when = if self.now(strain) {
                    "now"
                } else {
                    "since boot"
                };
                format!("{strain} ({when}): {}", strain.remedy())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_mean_what_the_documentation_says() {
        let strains = Strains::parse("throttled=0x50005\n").unwrap();
        assert!(strains.now(Strain::Undervoltage) && strains.now(Strain::Throttled));
        assert!(!strains.since_boot(Strain::Capped) && !strains.since_boot(Strain::Hot));
        let earlier = Strains::parse("throttled=0x80000").unwrap();
        assert!(earlier.since_boot(Strain::Hot) && !earlier.now(Strain::Hot));
        assert_eq!(
            earlier.words(),
            ["processor hot (since boot): shade the trap, or give the processor a heat sink"]
        );
        assert!(Strains::parse("throttled=0x0").unwrap().words().is_empty());
        for nonsense in [
            "",
            "throttled=",
            "0x50005",
            "throttled=0xg",
            "throttled=0x100000000",
        ] {
            assert_eq!(Strains::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_was_is_kept_as_since_boot() {
        let low = Strains::default().with_undervoltage_now();
        assert!(low.now(Strain::Undervoltage));
        let after = Strains::default().since(low);
        assert!(!after.now(Strain::Undervoltage) && after.since_boot(Strain::Undervoltage));
        assert_eq!(after.since(Strains::default()), after);
    }
}
