//! A timer that switches the trap on after its own period, and off when told
//! over one line: Texas Instruments TPL5110 and boards like it.
//!
//! Source: Texas Instruments, *TPL5110 Nano-Power System Timer for Power
//! Gating*, SNAS650A: sections 7.3.1 (DRV), 7.3.2 (DONE) and 6.6 (timing).
//! The pulse has to last 100 ns at least; ours lasts [`PULSE_MS`], since the
//! line is long and the power goes before it ends. A timer that hears no
//! pulse cuts the power at the end of its period by itself: a trap that works
//! longer than that is cut in the middle of its work.
//!
//! The line must be low while the trap starts, or the timer switches it off
//! again at once: give it a pull-down resistor.

use crate::error::{DeviceError, FaultKind};
use crate::wake::{Armed, DEVICE, PowerCut, WakeAbility, WakeSource, WakeWhen};
use crate::wall;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;

/// How long the line is high.
pub const PULSE_MS: u32 = 10;
/// How long the power may take to go.
pub const PATIENCE_MS: u32 = 2_000;

/// A timer behind a line.
#[derive(Debug)]
pub struct DoneLine<P, D> {
    line: P,
    delay: D,
    period_s: i64,
    /// When the timer switched the trap on.
    on_unix_s: i64,
}

impl<P: OutputPin, D: DelayNs> DoneLine<P, D> {
    /// The timer behind `line`, which switches on every `period_s` by its
    /// resistor and did so last at `on_unix_s`: about when the trap booted.
    pub fn new(line: P, delay: D, period_s: i64, on_unix_s: i64) -> Self {
        Self {
            line,
            delay,
            period_s: period_s.max(1),
            on_unix_s,
        }
    }

    fn set(&mut self, high: bool) -> Result<(), DeviceError> {
        let done = if high {
            self.line.set_high()
        } else {
            self.line.set_low()
        };
        done.map_err(|e| {
            let message = format!("the `done` line cannot be switched: {e:?}");
            DeviceError::new(DEVICE, FaultKind::Transient, message)
        })
    }
}

impl<P: OutputPin + Send, D: DelayNs + Send> WakeSource for DoneLine<P, D> {
    fn ability(&self) -> WakeAbility {
        WakeAbility {
            name: "timer".to_owned(),
            when: WakeWhen::Every {
                period_s: self.period_s,
            },
            cut: PowerCut::AtOnce,
        }
    }

    /// Nothing can be set: says when its period next ends, which has to be in
    /// time, else the timer is the wrong one for the schedule.
    fn arm(&mut self, at_unix_s: i64, now_unix_s: i64) -> Result<Armed, DeviceError> {
        let on_for_s = now_unix_s.saturating_sub(self.on_unix_s).max(0);
        let left_s = self.period_s - on_for_s % self.period_s;
        let wakes_unix_s = now_unix_s.saturating_add(left_s);
        if wakes_unix_s > at_unix_s {
            let message = format!(
                "the timer cannot wake at {} UTC: its period of {} s ends at {} UTC; stay awake, or give it a smaller resistor",
                wall::date_time(at_unix_s),
                self.period_s,
                wall::date_time(wakes_unix_s)
            );
            return Err(DeviceError::new(DEVICE, FaultKind::Broken, message));
        }
        Ok(Armed {
            wakes_unix_s,
            by: "timer".to_owned(),
        })
    }

    fn disarm(&mut self) -> Result<(), DeviceError> {
        self.set(false)
    }

    fn cut_power(&mut self) -> Result<(), DeviceError> {
        self.set(false)?;
        self.delay.delay_ms(PULSE_MS);
        self.set(true)?;
        self.delay.delay_ms(PULSE_MS);
        self.set(false)?;
        self.delay.delay_ms(PATIENCE_MS);
        let message =
            "the power stayed on after the pulse on the `done` line; check its wire and the timer";
        Err(DeviceError::new(DEVICE, FaultKind::Broken, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::MockError;
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    const ON: i64 = 1_795_279_200;

    fn pulse() -> Vec<Transaction> {
        [State::Low, State::High, State::Low]
            .map(Transaction::set)
            .to_vec()
    }

    #[test]
    fn the_pulse_is_low_high_low_and_survival_is_an_error() {
        let mut line = Mock::new(&pulse());
        let mut timer = DoneLine::new(line.clone(), NoopDelay::new(), 600, ON);
        let alive = timer.cut_power().unwrap_err();
        assert!(alive.message.contains("the power stayed on"), "{alive}");
        line.done();
    }

    #[test]
    fn each_step_of_the_pulse_may_fail() {
        let failure = MockError::Io(std::io::ErrorKind::NotConnected);
        for failing in 0..3 {
            let mut steps = pulse()[..failing].to_vec();
            steps.push(pulse()[failing].clone().with_error(failure.clone()));
            let mut line = Mock::new(&steps);
            let fault = DoneLine::new(line.clone(), NoopDelay::new(), 600, ON).cut_power();
            assert!(fault.unwrap_err().message.contains("cannot be switched"));
            line.done();
        }
    }

    #[test]
    fn it_wakes_when_its_period_ends() {
        let mut line = Mock::new(&[]);
        let mut timer = DoneLine::new(line.clone(), NoopDelay::new(), 600, ON);
        let wakes = |armed: Armed| armed.wakes_unix_s;
        assert_eq!(timer.arm(ON + 700, ON + 45).map(wakes).unwrap(), ON + 600);
        assert_eq!(
            timer.arm(ON + 1_300, ON + 640).map(wakes).unwrap(),
            ON + 1_200
        );
        let late = timer.arm(ON + 300, ON + 45).unwrap_err();
        assert!(
            late.message.contains("ends at 2026-11-21 16:50:00 UTC"),
            "{late}"
        );
        line.done();
    }
}
