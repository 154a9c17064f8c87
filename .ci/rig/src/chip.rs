//! What a chip on the bus does.

use crate::world::World;
use std::time::Instant;

/// A chip did not acknowledge its address or a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nak;

/// One chip, from power-on to the pulling of its plug.
pub(crate) trait Chip: Send {
    /// Its name in the words of the control socket.
    fn name(&self) -> &'static str;

    /// Its address of seven bits.
    fn address(&self) -> u16;

    /// The master writes `bytes` to it.
    fn write(&mut self, bytes: &[u8], world: &World, now: Instant) -> Result<(), Nak>;

    /// The master reads as many bytes as `answer` has room for.
    fn read(&mut self, answer: &mut [u8], world: &World, now: Instant) -> Result<(), Nak>;

    /// It has lost its power and got it again.
    fn power_on(&mut self);

    /// What it shows, if it is a display.
    fn glass(&self) -> Option<crate::picture::Glass> {
        None
    }

    /// Sets its own clock ahead of the desk's by so many seconds, if it has one.
    fn set_clock_ahead(&mut self, _seconds: i64) -> bool {
        false
    }
}

/// Answers with `bytes`; a master that reads on sees the idle bus, all ones.
pub(crate) fn fill(answer: &mut [u8], bytes: &[u8]) {
    let bytes = bytes.iter().copied().chain(std::iter::repeat(0xff));
    for (place, byte) in answer.iter_mut().zip(bytes) {
        *place = byte;
    }
}

/// A number of a measurement in the nearest step that `bits` bits can hold.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what the bits hold on the line before"
)]
pub(crate) fn steps(value: f64, bits: u32) -> u32 {
    let most = f64::from(u32::MAX >> (32 - bits));
    value.round().clamp(0.0, most) as u32
}

/// The lower sixteen bits as two bytes, the higher first.
pub(crate) fn word(value: u32) -> [u8; 2] {
    let [_, _, high, low] = value.to_be_bytes();
    [high, low]
}
