//! The last moment: a timer that cuts the power at once is told only when every
//! file system is at rest, which is long after the agent has ended. So the
//! agent leaves an order in memory, and `trapline-agent power cut`, which the
//! service manager calls at the very end of a shutdown, carries it out.
//!
//! An order that is not there means that a person shut the trap down, and
//! nothing is cut. By then no settings can be read, so the order holds them all.

use crate::config::power::PowerConfig;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use trapline_hal::pi::rtc::KernelClocks;
use trapline_hal::pi::wake::{WakeBy, open};

const FILE: &str = "lie-down.json";
/// While this file is there the trap does not lie down.
const STAY_AWAKE: &str = "stay-awake";

/// What is to be done last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOrder {
    /// The line that tells the timer.
    pub done_line: String,
    /// The timer's period.
    pub period_s: i64,
    /// When it wakes the trap, seconds since 1970.
    pub wakes_unix_s: i64,
}

/// Where orders lie.
#[derive(Debug, Clone)]
pub struct Orders {
    folder: PathBuf,
}

impl Orders {
    /// In a folder that does not outlive a boot.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Leaves an order, where the way to wake needs one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn leave(&self, power: &PowerConfig, wakes_unix_s: i64) -> std::io::Result<()> {
        let Some(WakeBy::Timer { line, period_s }) = &power.wake else {
            return Ok(());
        };
        let order = CutOrder {
            done_line: line.to_string(),
            period_s: *period_s,
            wakes_unix_s,
        };
        self.write(&order)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a folder in memory has nothing to sync"
    )]
    fn write(&self, order: &CutOrder) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.folder.join(FILE), serde_json::to_vec(order)?)
    }

    /// Takes a left order back.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn forget(&self) -> std::io::Result<()> {
        match std::fs::remove_file(self.folder.join(FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The order that was left, if one was.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub fn left(&self) -> anyhow::Result<Option<CutOrder>> {
        let file = self.folder.join(FILE);
        match std::fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => {
                let what = || format!("the order in {} cannot be read", file.display());
                let order = serde_json::from_slice(&read.with_context(what)?);
                Ok(Some(order.with_context(what)?))
            }
        }
    }

    /// Whether somebody asked the trap to stay awake.
    #[must_use]
    pub fn stay_awake(&self) -> bool {
        self.folder.join(STAY_AWAKE).exists()
    }
}

/// Cuts the power if an order says so; says what it did when the power is still there.
///
/// # Errors
/// When there is an order and the power stayed on.
pub fn cut(folder: &Path) -> anyhow::Result<String> {
    let Some(order) = Orders::in_folder(folder).left()? else {
        return Ok("no order to cut the power; a person shut the trap down".to_owned());
    };
    let by = WakeBy::Timer {
        line: order.done_line.parse()?,
        period_s: order.period_s,
    };
    let mut timer = open(&by, &KernelClocks::default(), 0)?;
    timer.cut_power()?;
    Ok("the timer was told".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn power(text: &str) -> PowerConfig {
        let text = format!("[camera]\nkind = \"none\"\n[power]\n{text}\n");
        Config::from_text("test", &text).unwrap().power
    }

    #[test]
    fn an_order_is_left_only_for_what_cuts_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders::in_folder(&folder.path().join("run"));
        orders.leave(&power("wake = \"rtc\""), 5).unwrap();
        assert_eq!(orders.left().unwrap(), None);
        let timer = power("wake = \"timer\"\ndone_line = \"!GPIO4\"\ntimer_period = \"10m\"");
        orders.leave(&timer, 1_795_279_200).unwrap();
        let order = CutOrder {
            done_line: "!GPIO4".to_owned(),
            period_s: 600,
            wakes_unix_s: 1_795_279_200,
        };
        assert_eq!(orders.left().unwrap(), Some(order));
        orders.forget().unwrap();
        orders.forget().unwrap();
        assert_eq!(orders.left().unwrap(), None);
    }

    #[test]
    fn without_an_order_nothing_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let said = cut(folder.path()).unwrap();
        assert!(said.contains("a person shut the trap down"), "{said}");
    }

    #[test]
    #[cfg(not(feature = "pi"))]
    fn an_order_that_cannot_be_carried_out_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let timer = power("wake = \"timer\"\ndone_line = \"GPIO4\"");
        Orders::in_folder(folder.path()).leave(&timer, 5).unwrap();
        let why = cut(folder.path()).unwrap_err().to_string();
        assert!(why.contains("--features pi"), "{why}");
    }
}
