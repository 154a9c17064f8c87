//! Registers behind a pointer byte, as most parts have them.

use super::BusError;
use embedded_hal::i2c::I2c;

/// One byte.
pub(super) fn byte<B: I2c>(
    bus: &mut B,
    address: u8,
    register: u8,
) -> Result<u8, BusError<B::Error>> {
    let [byte] = bytes(bus, address, register)?;
    Ok(byte)
}

/// Two bytes, the high one first.
pub(super) fn word<B: I2c>(
    bus: &mut B,
    address: u8,
    register: u8,
) -> Result<u16, BusError<B::Error>> {
    Ok(u16::from_be_bytes(bytes(bus, address, register)?))
}

/// As many bytes as the caller has room for, from `register` on.
pub(super) fn bytes<B: I2c, const N: usize>(
    bus: &mut B,
    address: u8,
    register: u8,
) -> Result<[u8; N], BusError<B::Error>> {
    let mut answer = [0; N];
    bus.write_read(address, &[register], &mut answer)
        .map_err(BusError::Bus)?;
    Ok(answer)
}

/// Sets a word, the high byte first.
pub(super) fn set_word<B: I2c>(
    bus: &mut B,
    address: u8,
    register: u8,
    word: u16,
) -> Result<(), BusError<B::Error>> {
    let [high, low] = word.to_be_bytes();
    bus.write(address, &[register, high, low])
        .map_err(BusError::Bus)
}

/// That an id register says what the datasheet says.
pub(super) fn expect<E>(says: u16, expected: u16) -> Result<(), BusError<E>> {
    if says == expected {
        Ok(())
    } else {
        Err(BusError::Stranger { says })
    }
}
