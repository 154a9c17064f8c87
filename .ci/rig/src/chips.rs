//! The chips that a trap may carry, each in a file of its own.

mod bh1750;
mod bme280;
mod ds3231;
mod ina219;
mod sht31;
mod ssd1306;

use crate::chip::Chip;

/// All of them, with power.
pub(crate) fn all() -> Vec<Box<dyn Chip>> {
    vec![
        Box::new(sht31::Sht31::default()),
        Box::new(bh1750::Bh1750::default()),
        Box::new(bme280::Bme280::default()),
        Box::new(ina219::Ina219::default()),
        Box::new(ds3231::Ds3231::default()),
        Box::new(ssd1306::Ssd1306::default()),
    ]
}
