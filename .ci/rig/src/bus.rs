//! The bus: who answers at an address, and what is broken.

use crate::chip::{Chip, Nak};
use crate::chips;
use crate::world::World;
use std::time::{Duration, Instant};

/// Transfers that are remembered.
const LOG_MAX: usize = 4_000;
/// Bytes of a transfer that are remembered.
const LOG_BYTES: usize = 12;

/// The chips with their plugs, and the world that they measure.
pub(crate) struct Bus {
    pub(crate) world: World,
    slots: Vec<Slot>,
    log: Vec<String>,
}

/// A chip and what is the matter with it.
struct Slot {
    chip: Box<dyn Chip>,
    unplugged: bool,
    /// So many of the next transfers are not acknowledged.
    naks: u32,
    /// So many of the next answers arrive with a wrong bit in their last byte.
    damages: u32,
    /// Each transfer takes so long.
    delay: Duration,
    /// The world that it stopped at.
    frozen: Option<World>,
}

/// One transfer with one chip.
pub(crate) enum Transfer<'a> {
    Write(&'a [u8]),
    Read(&'a mut [u8]),
}

impl Bus {
    pub(crate) fn with_all_chips() -> Self {
        let slot = |mut chip: Box<dyn Chip>| {
            chip.power_on();
            Slot {
                chip,
                unplugged: false,
                naks: 0,
                damages: 0,
                delay: Duration::ZERO,
                frozen: None,
            }
        };
        Self {
            world: World::default(),
            slots: chips::all().into_iter().map(slot).collect(),
            log: Vec::new(),
        }
    }

    /// How long a transfer with `address` will take, which the caller waits without holding the bus.
    pub(crate) fn delay(&self, address: u16) -> Duration {
        let slot = self
            .slots
            .iter()
            .find(|slot| slot.chip.address() == address);
        slot.map_or(Duration::ZERO, |slot| slot.delay)
    }

    pub(crate) fn transfer(&mut self, address: u16, mut transfer: Transfer<'_>) -> Result<(), Nak> {
        self.world.stir();
        let done = match self
            .slots
            .iter_mut()
            .find(|slot| slot.chip.address() == address)
        {
            Some(slot) => slot.transfer(&self.world, &mut transfer),
            None => Err(Nak),
        };
        self.remember(address, &transfer, done);
        done
    }

    fn remember(&mut self, address: u16, transfer: &Transfer<'_>, done: Result<(), Nak>) {
        if self.log.len() >= LOG_MAX {
            return;
        }
        let (way, bytes): (_, &[u8]) = match transfer {
            Transfer::Write(bytes) => ("write", bytes),
            Transfer::Read(bytes) => ("read", bytes),
        };
        let words: Vec<String> = bytes
            .iter()
            .take(LOG_BYTES)
            .map(|b| format!("{b:02x}"))
            .collect();
        let rest = if bytes.len() > LOG_BYTES { " …" } else { "" };
        let done = if done.is_ok() { "" } else { " NAK" };
        self.log.push(format!(
            "{address:#04x} {way} {}{rest}{done}",
            words.join(" ")
        ));
    }

    /// What went over the bus since this was asked last.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// Names and addresses.
    pub(crate) fn chips(&self) -> impl Iterator<Item = (&'static str, u16)> {
        self.slots
            .iter()
            .map(|slot| (slot.chip.name(), slot.chip.address()))
    }

    /// What the first display shows.
    pub(crate) fn glass(&self) -> Option<crate::picture::Glass> {
        let plugged = self.slots.iter().filter(|slot| !slot.unplugged);
        plugged.filter_map(|slot| slot.chip.glass()).next()
    }

    /// Pulls or plugs in.
    pub(crate) fn plug(&mut self, name: &str, plugged: bool) -> Result<(), String> {
        let slot = self.slot(name)?;
        if slot.unplugged && plugged {
            slot.chip.power_on();
        }
        slot.unplugged = !plugged;
        Ok(())
    }

    pub(crate) fn refuse(&mut self, name: &str, naks: u32) -> Result<(), String> {
        self.slot(name)?.naks = naks;
        Ok(())
    }

    pub(crate) fn damage(&mut self, name: &str, damages: u32) -> Result<(), String> {
        self.slot(name)?.damages = damages;
        Ok(())
    }

    pub(crate) fn slow(&mut self, name: &str, delay: Duration) -> Result<(), String> {
        self.slot(name)?.delay = delay;
        Ok(())
    }

    /// The chip goes on measuring the world as it is now, to the last digit.
    pub(crate) fn freeze(&mut self, name: &str, frozen: bool) -> Result<(), String> {
        let world = self.world.clone();
        self.slot(name)?.frozen = frozen.then_some(world);
        Ok(())
    }

    pub(crate) fn set_clock_ahead(&mut self, name: &str, seconds: i64) -> Result<(), String> {
        if self.slot(name)?.chip.set_clock_ahead(seconds) {
            Ok(())
        } else {
            Err(format!("`{name}` has no clock"))
        }
    }

    fn slot(&mut self, name: &str) -> Result<&mut Slot, String> {
        let slot = self.slots.iter_mut().find(|slot| slot.chip.name() == name);
        slot.ok_or_else(|| format!("no chip is called `{name}`"))
    }
}

impl Slot {
    fn transfer(&mut self, world: &World, transfer: &mut Transfer<'_>) -> Result<(), Nak> {
        if self.unplugged {
            return Err(Nak);
        }
        if self.naks > 0 {
            self.naks -= 1;
            return Err(Nak);
        }
        let world = self.frozen.as_ref().unwrap_or(world);
        let now = Instant::now();
        match transfer {
            Transfer::Write(bytes) => self.chip.write(bytes, world, now),
            Transfer::Read(answer) => {
                self.chip.read(answer, world, now)?;
                if self.damages > 0
                    && let Some(last) = answer.last_mut()
                {
                    self.damages -= 1;
                    *last ^= 0x01;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_settings(bus: &mut Bus) -> Result<[u8; 2], Nak> {
        bus.transfer(0x40, Transfer::Write(&[0x00]))?;
        let mut answer = [0; 2];
        bus.transfer(0x40, Transfer::Read(&mut answer))?;
        Ok(answer)
    }

    #[test]
    fn a_pulled_plug_is_silence_and_what_was_set_is_lost() {
        let mut bus = Bus::with_all_chips();
        bus.transfer(0x40, Transfer::Write(&[0x00, 0x3d, 0xdb]))
            .unwrap();
        assert_eq!(read_settings(&mut bus), Ok([0x3d, 0xdb]));
        bus.plug("ina219", false).unwrap();
        assert_eq!(read_settings(&mut bus), Err(Nak));
        bus.plug("ina219", true).unwrap();
        assert_eq!(read_settings(&mut bus), Ok([0x39, 0x9f]));
    }

    #[test]
    fn faults_are_counted_down() {
        let mut bus = Bus::with_all_chips();
        bus.refuse("ina219", 1).unwrap();
        assert_eq!(read_settings(&mut bus), Err(Nak));
        bus.damage("ina219", 1).unwrap();
        assert_eq!(read_settings(&mut bus), Ok([0x39, 0x9e]));
        assert_eq!(read_settings(&mut bus), Ok([0x39, 0x9f]));
        assert_eq!(bus.take_log().len(), 5);
        assert!(bus.plug("ina226", true).is_err());
    }
}
