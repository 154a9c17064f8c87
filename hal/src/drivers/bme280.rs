//! Temperature, humidity and air pressure: Bosch BME280.
//!
//! Source: Bosch Sensortec, *BME280 Combined humidity and pressure sensor*,
//! BST-BME280-DS002, revision 1.23: section 4.2 (calibration words), 5.4
//! (registers), 9.1 (measurement time) and 8.1 (compensation in floating
//! point). Temperature and pressure are checked against the worked example of
//! the sibling's datasheet, BST-BMP280-DS001, section 3.12, which computes them
//! the same way; humidity, which has no example, against the integer form in
//! section 4.2.3.

use super::{BusError, Climate, Part, climate, register};
use crate::units::Hectopascals;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use std::ops::RangeInclusive;

/// Address with pin SDO at ground; 0x77 with it at the supply.
pub const ADDRESS: u8 = 0x76;
pub(crate) const ID: u8 = 0xd0;
pub(crate) const BME280: u8 = 0x60;
/// What a sensor without humidity says, which is often sold as a BME280.
pub(crate) const BMP280: u8 = 0x58;
const CALIBRATION: u8 = 0x88;
const CALIBRATION_OF_HUMIDITY: u8 = 0xe1;
const STATUS: u8 = 0xf3;
const NUMBERS: u8 = 0xf7;
/// Register and value in turns: no filter; humidity, temperature and pressure
/// once each, then sleep.
const MEASURE_ONCE: [u8; 6] = [0xf5, 0x00, 0xf2, 0x01, 0xf4, 0x25];
/// In the status: measuring, or copying its calibration.
const BUSY: u8 = 0x09;
/// The longest measurement takes 9.3 ms.
const MEASURE_WAIT_MS: u32 = 10;
const PATIENCE_MS: u32 = 2;
/// How often it is asked.
const ASKED_MAX: u32 = 4;
/// What stands where nothing was measured.
const NOT_MEASURED: u32 = 0x8_0000;
const HUMIDITY_NOT_MEASURED: u16 = 0x8000;
/// What the part can measure.
const CELSIUS: RangeInclusive<f64> = -40.0..=85.0;

/// The sensor at its address.
#[derive(Debug)]
pub struct Bme280<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

impl<B: I2c, D: DelayNs> Bme280<B, D> {
    /// The sensor at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    fn calibration(&mut self) -> Result<Calibration, BusError<B::Error>> {
        let all = register::bytes(&mut self.bus, self.address, CALIBRATION)?;
        let humid = register::bytes(&mut self.bus, self.address, CALIBRATION_OF_HUMIDITY)?;
        Ok(Calibration::of(all, humid))
    }

    fn wait_for_result(&mut self) -> Result<(), BusError<B::Error>> {
        self.delay.delay_ms(MEASURE_WAIT_MS);
        for _ in 0..ASKED_MAX {
            if register::byte(&mut self.bus, self.address, STATUS)? & BUSY == 0 {
                return Ok(());
            }
            self.delay.delay_ms(PATIENCE_MS);
        }
        Err(BusError::NotReady)
    }
}

impl<B: I2c, D: DelayNs> Part for Bme280<B, D> {
    type Reading = Climate;
    type BusFailure = B::Error;
    const DEVICE: &'static str = "climate";
    const NAME: &'static str = "BME280";
    const SAME_READINGS_MAX: u32 = 30;
    const WAIT_MS_MAX: u32 = MEASURE_WAIT_MS + ASKED_MAX * PATIENCE_MS;

    fn address(&self) -> u8 {
        self.address
    }

    fn measure(&mut self) -> Result<Climate, BusError<B::Error>> {
        let id = register::byte(&mut self.bus, self.address, ID)?;
        register::expect(id.into(), BME280.into())?;
        let calibration = self.calibration()?;
        self.bus
            .write(self.address, &MEASURE_ONCE)
            .map_err(BusError::Bus)?;
        self.wait_for_result()?;
        let numbers = register::bytes(&mut self.bus, self.address, NUMBERS)?;
        let raw = Raw::of(numbers).ok_or(BusError::Range)?;
        let heat = calibration.heat(raw.temperature);
        let percent = calibration.percent(raw.humidity, heat);
        let pascals = calibration.pascals(raw.pressure, heat);
        let mut climate = climate(heat / 5_120.0, percent, CELSIUS)?;
        let pressure = pascals.and_then(|pascals| Hectopascals::new(pascals / 100.0));
        // A pressure that cannot be means that the calibration arrived damaged.
        climate.pressure = Some(pressure.ok_or(BusError::Range)?);
        Ok(climate)
    }
}

/// The three numbers as the sensor counts them.
#[derive(Debug, Clone, Copy)]
struct Raw {
    pressure: u32,
    temperature: u32,
    humidity: u16,
}

impl Raw {
    /// `None` where one was not measured.
    fn of([p_high, p_low, p_rest, t_high, t_low, t_rest, h_high, h_low]: [u8; 8]) -> Option<Self> {
        let twenty_bits = |high, low, rest| u32::from_be_bytes([0, high, low, rest]) >> 4;
        let raw = Self {
            pressure: twenty_bits(p_high, p_low, p_rest),
            temperature: twenty_bits(t_high, t_low, t_rest),
            humidity: u16::from_be_bytes([h_high, h_low]),
        };
        let measured = raw.pressure != NOT_MEASURED
            && raw.temperature != NOT_MEASURED
            && raw.humidity != HUMIDITY_NOT_MEASURED;
        measured.then_some(raw)
    }
}

/// The words that the factory wrote into this very sensor: `T1` to `T3`, `P1`
/// to `P9` and `H1` to `H6` of the datasheet.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Calibration {
    t: [f64; 3],
    p: [f64; 9],
    h: [f64; 6],
}

impl Calibration {
    fn of(all: [u8; 26], humid: [u8; 7]) -> Self {
        let mut words = [[0; 2]; 12];
        for (word, bytes) in words.iter_mut().zip(all.as_chunks::<2>().0) {
            *word = *bytes;
        }
        let signed = |bytes| f64::from(i16::from_le_bytes(bytes));
        let unsigned = |bytes| f64::from(u16::from_le_bytes(bytes));
        let [t1, t2, t3, p1, rest @ ..] = words;
        let [p2, p3, p4, p5, p6, p7, p8, p9] = rest.map(signed);
        let [.., h1] = all;
        let [h2_low, h2_high, h3, h4_high, shared, h5_high, h6] = humid;
        // H4 and H5 have twelve bits each and share a byte.
        let h4 = i16::from_be_bytes([h4_high, shared << 4]) >> 4;
        let h5 = i16::from_be_bytes([h5_high, shared & 0xf0]) >> 4;
        Self {
            t: [unsigned(t1), signed(t2), signed(t3)],
            p: [unsigned(p1), p2, p3, p4, p5, p6, p7, p8, p9],
            h: [
                h1.into(),
                signed([h2_low, h2_high]),
                h3.into(),
                h4.into(),
                h5.into(),
                h6.cast_signed().into(),
            ],
        }
    }

    /// The temperature in steps of 1/5120 °C, which the others need too:
    /// `t_fine` of the datasheet.
    fn heat(&self, raw: u32) -> f64 {
        let [t1, t2, t3] = self.t;
        let raw = f64::from(raw);
        let linear = (raw / 16_384.0 - t1 / 1_024.0) * t2;
        let bend = raw / 131_072.0 - t1 / 8_192.0;
        linear + bend * bend * t3
    }

    /// `None` where the calibration would have it divided by zero.
    fn pascals(&self, raw: u32, heat: f64) -> Option<f64> {
        let [p1, p2, p3, p4, p5, p6, p7, p8, p9] = self.p;
        let heat = heat / 2.0 - 64_000.0;
        let offset = (heat * heat * p6 / 32_768.0 + heat * p5 * 2.0) / 4.0 + p4 * 65_536.0;
        let slope = (p3 * heat * heat / 524_288.0 + p2 * heat) / 524_288.0;
        let slope = (1.0 + slope / 32_768.0) * p1;
        if slope == 0.0 {
            return None;
        }
        let rough = (1_048_576.0 - f64::from(raw) - offset / 4_096.0) * 6_250.0 / slope;
        let bend = p9 * rough * rough / 2_147_483_648.0;
        Some(rough + (bend + rough * p8 / 32_768.0 + p7) / 16.0)
    }

    /// Cut to 0 and 100 % as the datasheet does.
    fn percent(&self, raw: u16, heat: f64) -> f64 {
        let [h1, h2, h3, h4, h5, h6] = self.h;
        let heat = heat - 76_800.0;
        let offset = h4 * 64.0 + h5 / 16_384.0 * heat;
        let with_heat = 1.0 + h6 / 67_108_864.0 * heat * (1.0 + h3 / 67_108_864.0 * heat);
        let rough = (f64::from(raw) - offset) * (h2 / 65_536.0 * with_heat);
        (rough * (1.0 - h1 * rough / 524_288.0)).clamp(0.0, 100.0)
    }
}

#[cfg(test)]
mod tests;
