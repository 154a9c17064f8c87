//! A flash timed to the exposure: when to switch. Pure; the caller's clock counts.
//!
//! A camera that does not say when it exposes gets a lead that covers its start
//! and an exposure as long as its whole shot; the lamp goes out when the picture
//! is there, and the plan's end is the limit.

/// What a lamp is given over the end that was planned, before its limit puts it out.
const SPARE_MS: u64 = 250;

/// The parts of a flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashPlan {
    /// How long the lamp is on before the exposure: until it is bright, and the camera used to it.
    pub lead_ms: u64,
    /// How long the exposure is.
    pub exposure_ms: u64,
    /// How long the lamp stays on after it, for a camera that is late.
    pub trail_ms: u64,
}

/// A flash at its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flash {
    /// When the lamp goes on.
    pub on_at_ms: u64,
    /// When the exposure begins.
    pub expose_at_ms: u64,
    /// When the lamp goes out.
    pub off_at_ms: u64,
    /// What the lamp's guard is told.
    pub max_on_ms: u64,
}

/// A flash that is longer than the lamp may be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the flash would last {lit_ms} ms, but the lamp may be on for {cap_ms} ms; shorten the lead, or raise the lamp's limit if it bears that"
)]
pub struct FlashTooLong {
    /// How long it would be on.
    pub lit_ms: u64,
    /// How long it may be on.
    pub cap_ms: u64,
}

/// What a flash asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashStep {
    /// Nothing until then.
    Wait {
        /// The next time to ask.
        until_ms: u64,
    },
    /// Light the lamp.
    Light,
    /// Put the lamp out.
    PutOut,
    /// Nothing any more.
    Over,
}

impl FlashPlan {
    /// How long the lamp is on.
    #[must_use]
    pub fn lit_ms(self) -> u64 {
        let exposed_ms = self.lead_ms.saturating_add(self.exposure_ms);
        exposed_ms.saturating_add(self.trail_ms)
    }

    /// The flash for an exposure wanted at `expose_at_ms`, of a lamp that may be on for `cap_ms`.
    ///
    /// Where the time until then is shorter than the lead, the exposure moves:
    /// a late picture is a picture, a dark one is none.
    ///
    /// # Errors
    /// [`FlashTooLong`] when the lamp's limit would end it before the exposure does.
    pub fn at(self, now_ms: u64, expose_at_ms: u64, cap_ms: u64) -> Result<Flash, FlashTooLong> {
        let lit_ms = self.lit_ms();
        if lit_ms > cap_ms {
            return Err(FlashTooLong { lit_ms, cap_ms });
        }
        let expose_at_ms = expose_at_ms.max(now_ms.saturating_add(self.lead_ms));
        let on_at_ms = expose_at_ms.saturating_sub(self.lead_ms);
        Ok(Flash {
            on_at_ms,
            expose_at_ms,
            off_at_ms: on_at_ms.saturating_add(lit_ms),
            max_on_ms: lit_ms.saturating_add(SPARE_MS).min(cap_ms),
        })
    }
}

impl Flash {
    /// What to do at `now_ms` with a lamp that is `lit` or not.
    #[must_use]
    pub fn step(&self, now_ms: u64, lit: bool) -> FlashStep {
        let is_time = (self.on_at_ms..self.off_at_ms).contains(&now_ms);
        match (lit, is_time) {
            (false, true) => FlashStep::Light,
            (true, true) => FlashStep::Wait {
                until_ms: self.off_at_ms,
            },
            (true, false) => FlashStep::PutOut,
            (false, false) if now_ms < self.on_at_ms => FlashStep::Wait {
                until_ms: self.on_at_ms,
            },
            (false, false) => FlashStep::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: FlashPlan = FlashPlan {
        lead_ms: 300,
        exposure_ms: 40,
        trail_ms: 60,
    };

    #[test]
    fn the_lamp_is_on_around_the_exposure() {
        let flash = PLAN.at(10_000, 12_000, 5_000).unwrap();
        let wanted = Flash {
            on_at_ms: 11_700,
            expose_at_ms: 12_000,
            off_at_ms: 12_100,
            max_on_ms: 650,
        };
        assert_eq!(flash, wanted);
    }

    #[test]
    fn a_late_call_moves_the_exposure_and_not_the_lead() {
        let flash = PLAN.at(11_900, 12_000, 5_000).unwrap();
        assert_eq!((flash.on_at_ms, flash.expose_at_ms), (11_900, 12_200));
    }

    #[test]
    fn the_lamps_limit_is_never_passed() {
        assert_eq!(PLAN.at(0, 0, 400).unwrap().max_on_ms, 400);
        let long = PLAN.at(0, 0, 399).unwrap_err();
        assert_eq!((long.lit_ms, long.cap_ms), (400, 399));
        let endless = FlashPlan {
            lead_ms: u64::MAX,
            ..PLAN
        };
        assert!(endless.at(0, 0, 5_000).is_err());
    }

    #[test]
    fn each_moment_has_its_step() {
        let flash = PLAN.at(0, 1_000, 5_000).unwrap();
        let steps = [
            (0, false, FlashStep::Wait { until_ms: 700 }),
            (700, false, FlashStep::Light),
            (701, true, FlashStep::Wait { until_ms: 1_100 }),
            (1_099, false, FlashStep::Light),
            (1_100, true, FlashStep::PutOut),
            (1_100, false, FlashStep::Over),
            (10, true, FlashStep::PutOut),
        ];
        for (now_ms, lit, step) in steps {
            assert_eq!(flash.step(now_ms, lit), step, "{now_ms} {lit}");
        }
    }
}
