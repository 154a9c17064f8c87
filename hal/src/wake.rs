//! What switches a sleeping trap on again: the kernel's clock, a power board,
//! a timer that knows only its own period.
//!
//! A wake alarm is believed only after it was read back. A time is meant as so
//! many seconds from now, whatever the clock behind the alarm says: one that
//! was never set, or set to local time, wakes at the right moment all the same.

use crate::error::{DeviceError, FaultKind};
use crate::wall;

/// The part in the words of the wiring table.
pub(crate) const DEVICE: &str = "wake";
/// An alarm nearer than this may ring before it is set.
const AHEAD_S_MIN: i64 = 3;
/// A clock that differs from the trap's by no more than this is right.
const SAME_CLOCK_S: i64 = 2;

/// What a way of waking can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeAbility {
    /// Its name, as `DS3231`.
    pub name: String,
    /// When it can wake.
    pub when: WakeWhen,
    /// How the power goes.
    pub cut: PowerCut,
}

/// When something can wake a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeWhen {
    /// At a time.
    At {
        /// The longest time ahead that it can be set to, in seconds.
        ahead_s_max: i64,
    },
    /// Always so long after it last switched the trap on.
    Every {
        /// Its period in seconds.
        period_s: i64,
    },
}

/// A wake that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// When it wakes by the trap's own clock, seconds since 1970.
    pub wakes_unix_s: i64,
    /// What wakes.
    pub by: String,
}

/// How the power goes when the trap lies down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCut {
    /// By itself, once the trap is shut down.
    ByItself,
    /// At once, when told: nothing may be left to write.
    AtOnce,
}

/// Something that switches the trap on again.
pub trait WakeSource: Send {
    /// What it can do; asks nothing of the hardware.
    fn ability(&self) -> WakeAbility;

    /// Sets it to wake at `at_unix_s`, when the trap's clock says `now_unix_s`,
    /// and reads back what was set.
    ///
    /// # Errors
    /// In words, when the time is past or too far ahead, when it does not
    /// answer, or when it says another time than it was told.
    fn arm(&mut self, at_unix_s: i64, now_unix_s: i64) -> Result<Armed, DeviceError>;

    /// Forgets the alarm.
    ///
    /// # Errors
    /// When it does not answer, or still says a time.
    fn disarm(&mut self) -> Result<(), DeviceError>;

    /// Does its part in switching off. To be called last, and where the power
    /// goes [`PowerCut::AtOnce`] only when every file system is at rest.
    ///
    /// # Errors
    /// When the power should be gone and is not.
    fn cut_power(&mut self) -> Result<(), DeviceError>;
}

/// When an alarm has to ring by the clock behind it, which says `clock_s`.
///
/// # Errors
/// When the time is past, or further ahead than `ahead_s_max`.
pub(crate) fn rings_s(
    name: &str,
    (at_unix_s, now_unix_s): (i64, i64),
    clock_s: i64,
    ahead_s_max: i64,
) -> Result<i64, DeviceError> {
    let ahead_s = at_unix_s.saturating_sub(now_unix_s);
    let at = wall::date_time(at_unix_s);
    if ahead_s < AHEAD_S_MIN {
        let message = format!(
            "{name} cannot wake at {at} UTC, which is past; is the clock right? It says {} UTC",
            wall::date_time(now_unix_s)
        );
        return Err(refused(message));
    }
    if ahead_s > ahead_s_max {
        let days = ahead_s_max / 86_400;
        let message =
            format!("{name} cannot wake at {at} UTC: it knows {days} days ahead; wake in between");
        return Err(refused(message));
    }
    let differs_s = clock_s.saturating_sub(now_unix_s);
    Ok(if differs_s.abs() <= SAME_CLOCK_S {
        at_unix_s
    } else {
        clock_s.saturating_add(ahead_s)
    })
}

/// That what was read back is what was written.
///
/// # Errors
/// In words, when it differs.
pub(crate) fn prove(name: &str, wrote_s: i64, says_s: Option<i64>) -> Result<(), DeviceError> {
    let told = wall::date_time(wrote_s);
    match says_s {
        Some(says_s) if says_s == wrote_s => Ok(()),
        Some(says_s) => Err(refused(format!(
            "{name} was told to wake at {told} and says {}; does another program set it?",
            wall::date_time(says_s)
        ))),
        None => Err(refused(format!(
            "{name} was told to wake at {told} and says that no alarm is set; it would sleep for ever"
        ))),
    }
}

pub(crate) fn refused(message: String) -> DeviceError {
    DeviceError::new(DEVICE, FaultKind::Broken, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_279_200;
    const WEEK: i64 = 7 * 86_400;

    #[test]
    fn a_right_clock_is_told_the_time_itself() {
        let ring = |clock_s| rings_s("DS3231", (NOW + 600, NOW), clock_s, WEEK).unwrap();
        assert_eq!(ring(NOW), NOW + 600);
        assert_eq!(ring(NOW - 2), NOW + 600);
        assert_eq!(ring(NOW + 3_600), NOW + 4_200, "kept in local time");
        assert_eq!(ring(946_684_800), 946_685_400, "never set");
    }

    #[test]
    fn past_and_far_are_refused_in_words() {
        let past = rings_s("DS3231", (NOW - 1, NOW), NOW, WEEK).unwrap_err();
        assert_eq!(
            past.to_string(),
            "wake: DS3231 cannot wake at 2026-11-21 16:39:59 UTC, which is past; is the clock right? It says 2026-11-21 16:40:00 UTC"
        );
        assert!(rings_s("DS3231", (NOW + 2, NOW), NOW, WEEK).is_err());
        let far = rings_s("DS3231", (NOW + WEEK + 1, NOW), NOW, WEEK).unwrap_err();
        assert!(far.message.contains("it knows 7 days ahead"), "{far}");
    }

    #[test]
    fn only_the_same_time_is_proof() {
        assert!(prove("DS3231", NOW, Some(NOW)).is_ok());
        let other = prove("DS3231", NOW, Some(NOW + 60)).unwrap_err();
        assert!(
            other.message.contains("says 2026-11-21 16:41:00"),
            "{other}"
        );
        let none = prove("DS3231", NOW, None).unwrap_err();
        assert!(none.message.contains("no alarm is set"), "{none}");
    }
}
