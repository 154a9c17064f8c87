//! Which part answers at an address.
//!
//! Each question stands beside the parts that it was checked against.

use super::What;
use crate::drivers::checksum::crc8;
use crate::drivers::{bme280, ina260, opt3001, tsl2591, witty_pi4};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Status word of an SHT3x; an SHT4x takes it for no command.
const SHT3X_STATUS: [u8; 2] = [0xf3, 0x2d];
/// Serial number of an SHT4x; half a command for an SHT3x.
const SHT4X_SERIAL: [u8; 1] = [0x89];
/// It has the number after a millisecond.
const SHT4X_SERIAL_WAIT_MS: u32 = 2;
const SHT3X: &str = "SHT3x, climate";
const SHT4X: &str = "SHT4x, climate";
/// A VEML7700 says 0x81 here, and its address above it; early lots say nothing.
const VEML7700_ID: u8 = 0x07;
const VEML7700: u8 = 0x81;
/// Settings after power-on and as the driver leaves them, whatever the mode.
const INA219_SETTINGS: [u16; 2] = [0x399f, 0x3ddf];
const INA219_MODE: u16 = 0x0007;
/// The bits of an INA260's settings that are always 110.
const INA260_FIXED: u16 = 0x7000;
const INA260_FIXED_SAY: u16 = 0x6000;
/// Settings after power-on.
const ADS1115_SETTINGS: u16 = 0x8583;
/// Mode, speed and comparator as the driver leaves them, whatever the input.
const ADS1115_OURS: u16 = 0x0fff;
const ADS1115_OURS_SAY: u16 = 0x0383;

/// What it is that answers at `address`.
pub(super) fn identify<B: I2c, D: DelayNs>(
    bus: &mut B,
    delay: &mut D,
    address: u8,
) -> Option<What> {
    let what = match address {
        witty_pi4::ADDRESS => power_board(bus, address),
        0x10 => veml7700(bus, address),
        0x23 | 0x5c => What::Likely("BH1750, light"),
        0x29 => tsl2591(bus, address),
        0x38 => aht20(bus, address),
        0x3c | 0x3d => What::Likely("SSD1306 or SH1106, display"),
        0x40..=0x4f => texas_instruments(bus, address),
        0x51 => What::Likely("PCF8563 or PCF85063, clock"),
        0x68 => clock(bus, address),
        0x76 | 0x77 => bosch(bus, address),
        _ => What::Unknown,
    };
    // An SHT3x that has just measured for somebody else answers a plain read.
    match address {
        0x44..=0x46 if what == What::Unknown => sensirion(bus, delay, address).or(Some(what)),
        _ => Some(what),
    }
}

/// What keeps silent at `address` until it is given a command, if anything.
pub(super) fn identify_silent<B: I2c, D: DelayNs>(
    bus: &mut B,
    delay: &mut D,
    address: u8,
) -> Option<What> {
    match address {
        0x44..=0x46 => sensirion(bus, delay, address),
        _ => None,
    }
}

/// Neither question is a command to the other kind, nor to the OPT3001 and
/// INA219 that share these addresses.
fn sensirion<B: I2c, D: DelayNs>(bus: &mut B, delay: &mut D, address: u8) -> Option<What> {
    if let Some([high, low, sum]) = ask(bus, address, &SHT3X_STATUS)
        && crc8(&[high, low]) == sum
    {
        return Some(What::Known(SHT3X));
    }
    bus.write(address, &SHT4X_SERIAL).ok()?;
    let mut serial = [0; 6];
    delay.delay_ms(SHT4X_SERIAL_WAIT_MS);
    bus.read(address, &mut serial).ok()?;
    let [a, b, sum, c, d, second_sum] = serial;
    let fits = crc8(&[a, b]) == sum && crc8(&[c, d]) == second_sum;
    fits.then_some(What::Known(SHT4X))
}

/// INA219 and INA260 live at all sixteen addresses, OPT3001 at 0x44 to 0x47,
/// ADS1115 at 0x48 to 0x4b. All have words behind a pointer. Settings are read
/// before the pointer goes as high as 0xfe, which resets an Si7021 at 0x40.
fn texas_instruments<B: I2c>(bus: &mut B, address: u8) -> What {
    if (0x48..=0x4b).contains(&address) {
        let settings = word(bus, address, crate::drivers::ads1115::SETTINGS);
        if settings
            .is_some_and(|word| word == ADS1115_SETTINGS || word & ADS1115_OURS == ADS1115_OURS_SAY)
        {
            return What::Known("ADS1115, battery");
        }
    }
    if (0x44..=0x47).contains(&address) {
        let maker = word(bus, address, opt3001::MANUFACTURER_ID);
        if maker == Some(opt3001::TEXAS_INSTRUMENTS)
            && word(bus, address, opt3001::DEVICE_ID) == Some(opt3001::OPT3001)
        {
            return What::Known("OPT3001, light");
        }
    }
    match word(bus, address, crate::drivers::ina219::SETTINGS) {
        Some(settings) if INA219_SETTINGS.contains(&(settings | INA219_MODE)) => {
            What::Known("INA219, battery")
        }
        Some(settings) if settings & INA260_FIXED == INA260_FIXED_SAY => ina260(bus, address),
        _ => What::Unknown,
    }
}

fn ina260<B: I2c>(bus: &mut B, address: u8) -> What {
    let maker = word(bus, address, ina260::MANUFACTURER_ID);
    let die = word(bus, address, ina260::DIE_ID).map(|die| die & !ina260::REVISION);
    if maker == Some(ina260::TEXAS_INSTRUMENTS) && die == Some(ina260::INA260) {
        What::Known("INA260, battery")
    } else {
        What::Unknown
    }
}

/// BME280, BMP280 and their like. An MS5611, which may be there too, knows no
/// such command; a TCA9548A set to this address would open other channels, but
/// nobody puts one in a trap at an address that climate sensors have.
fn bosch<B: I2c>(bus: &mut B, address: u8) -> What {
    match ask(bus, address, &[bme280::ID]) {
        Some([bme280::BME280]) => What::Known("BME280, climate"),
        Some([bme280::BMP280]) => {
            What::Known("BMP280, which has no humidity; Trapline needs a BME280")
        }
        _ => What::Unknown,
    }
}

/// A VL53L0X, which may be there too, has a harmless register at this place.
fn tsl2591<B: I2c>(bus: &mut B, address: u8) -> What {
    match ask(bus, address, &[tsl2591::ID]) {
        Some([tsl2591::TSL2591]) => What::Known("TSL2591, light"),
        _ => What::Unknown,
    }
}

fn power_board<B: I2c>(bus: &mut B, address: u8) -> What {
    match ask(bus, address, &[witty_pi4::ID]) {
        Some([id]) if witty_pi4::IDS.contains(&id) => What::Known("Witty Pi 4, power"),
        _ => What::Unknown,
    }
}

fn veml7700<B: I2c>(bus: &mut B, address: u8) -> What {
    match ask(bus, address, &[VEML7700_ID]) {
        Some([VEML7700, _]) => What::Known("VEML7700, light"),
        _ => What::Likely("VEML7700, light"),
    }
}

/// Only read: a PCF8574A would switch its outputs at anything written.
fn aht20<B: I2c>(bus: &mut B, address: u8) -> What {
    let mut answer = [0; 7];
    if bus.read(address, &mut answer).is_err() {
        return What::Unknown;
    }
    let [body @ .., sum] = answer;
    if crc8(&body) == sum && body != [0; 6] {
        What::Known("AHT20, climate")
    } else {
        What::Likely("AHT20, climate")
    }
}

/// A DS3231 has zeros in the middle of its status and days from 1 to 7; the
/// pointer of a motion sensor at this address may be moved as well.
fn clock<B: I2c>(bus: &mut B, address: u8) -> What {
    let Some([seconds, minutes, _, day]) = ask(bus, address, &[0x00]) else {
        return What::Unknown;
    };
    let Some([status]) = ask(bus, address, &[0x0f]) else {
        return What::Unknown;
    };
    let is_decimal = |byte: u8| byte & 0x0f < 10 && byte >> 4 < 6;
    let like_a_clock = is_decimal(seconds) && is_decimal(minutes) && (1..=7).contains(&day);
    if like_a_clock && status & 0x70 == 0 {
        What::Likely("DS3231, clock")
    } else {
        What::Unknown
    }
}

fn word<B: I2c>(bus: &mut B, address: u8, register: u8) -> Option<u16> {
    ask(bus, address, &[register]).map(u16::from_be_bytes)
}

fn ask<B: I2c, const N: usize>(bus: &mut B, address: u8, question: &[u8]) -> Option<[u8; N]> {
    let mut answer = [0; N];
    bus.write_read(address, question, &mut answer).ok()?;
    Some(answer)
}
