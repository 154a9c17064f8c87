//! What there is to measure.

use jiff::Timestamp;

/// The weather at the trap and the state of its battery.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) air_c: f64,
    pub(crate) humidity_pct: f64,
    pub(crate) pressure_hpa: f64,
    pub(crate) light_lux: f64,
    pub(crate) battery_v: f64,
    pub(crate) battery_a: f64,
    /// No air stands still: what a climate sensor sees goes up and down by about this share of a unit.
    pub(crate) restless: f64,
    turn: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            air_c: 21.5,
            humidity_pct: 63.0,
            pressure_hpa: 1013.25,
            light_lux: 1234.0,
            battery_v: 12.6,
            battery_a: 0.35,
            restless: 0.02,
            turn: 0,
        }
    }
}

impl World {
    /// Sets one quantity by the name of its field.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        let place = match name {
            "air_c" => &mut self.air_c,
            "humidity_pct" => &mut self.humidity_pct,
            "pressure_hpa" => &mut self.pressure_hpa,
            "light_lux" => &mut self.light_lux,
            "battery_v" => &mut self.battery_v,
            "battery_a" => &mut self.battery_a,
            "restless" => &mut self.restless,
            _ => return Err(format!("the world has no `{name}`")),
        };
        *place = value;
        Ok(())
    }

    /// A new look at the world: the air has moved a little, the same way in each run.
    pub(crate) fn stir(&mut self) {
        self.turn = self
            .turn
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
    }

    /// The temperature as one look sees it.
    pub(crate) fn air_now_c(&self) -> f64 {
        self.air_c + self.ripple()
    }

    /// The relative humidity as one look sees it.
    pub(crate) fn humidity_now_pct(&self) -> f64 {
        (self.humidity_pct - self.ripple()).clamp(0.0, 100.0)
    }

    /// −`restless` to +`restless`.
    fn ripple(&self) -> f64 {
        let share = f64::from(self.turn >> 16) / f64::from(u16::MAX);
        (share * 2.0 - 1.0) * self.restless
    }
}

/// The time on the desk, which a clock chip starts from.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
