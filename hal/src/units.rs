//! Physical quantities, each its own type, none outside what a sensor can mean.

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $getter:ident, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// The quantity, or `None` when the number is no reading:
            /// not finite, or outside the range in which it can be true.
            #[must_use]
            pub fn new(value: f64) -> Option<Self> {
                (value.is_finite() && ($min..=$max).contains(&value)).then_some(Self(value))
            }

            /// The bare number in the unit of the method's name.
            #[must_use]
            pub fn $getter(self) -> f64 {
                self.0
            }
        }
    };
}

quantity!(
    /// Air temperature, −60 to 90 °C.
    Celsius, celsius, -60.0, 90.0
);
quantity!(
    /// Temperature of a chip, −60 to 150 °C.
    ChipCelsius, celsius, -60.0, 150.0
);
quantity!(
    /// Relative humidity, 0 to 100 %.
    RelativeHumidity, percent, 0.0, 100.0
);
quantity!(
    /// Illuminance, 0 to 200 000 lx; full sun is about 100 000 lx.
    Lux, lux, 0.0, 200_000.0
);
quantity!(
    /// Air pressure, 300 to 1100 hPa: from below the sea to the highest hut.
    Hectopascals, hectopascals, 300.0, 1100.0
);
quantity!(
    /// Battery voltage, 0 to 60 V.
    Volts, volts, 0.0, 60.0
);
quantity!(
    /// Battery current, −100 to 100 A; what flows out of the battery is positive.
    Amperes, amperes, -100.0, 100.0
);
quantity!(
    /// A resistor through which the battery current is measured, 0.1 mΩ to 10 Ω.
    ShuntOhms, ohms, 0.0001, 10.0
);
quantity!(
    /// What a battery and its cables resist, 0 to 10 Ω.
    BatteryOhms, ohms, 0.0, 10.0
);
quantity!(
    /// Battery volts for each volt behind a voltage divider, 1 to 100.
    DividerRatio, ratio, 1.0, 100.0
);

impl DividerRatio {
    /// The battery itself.
    pub const NONE: Self = Self(1.0);
}

impl ShuntOhms {
    /// On most boards that carry an INA219.
    pub const USUAL: Self = Self(0.1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_true_is_no_reading() {
        assert!(Celsius::new(21.5).is_some());
        assert!(Celsius::new(f64::NAN).is_none());
        assert!(
            Celsius::new(-127.0).is_none(),
            "the error value of a DS18B20"
        );
        assert!(RelativeHumidity::new(100.1).is_none());
        assert!(Lux::new(-1.0).is_none());
        assert!(Volts::new(12.6).is_some_and(|v| v.volts() > 12.0));
    }
}
