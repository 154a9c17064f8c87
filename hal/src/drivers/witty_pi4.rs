//! Power board: UUGear Witty Pi 4, and its relatives Mini and L3V7. It cuts the
//! power after a shutdown and switches on again at a time.
//!
//! Sources: UUGear, *Witty Pi 4 User Manual*, section 15.2 (registers), and the
//! board's own firmware, revision 5, for what the manual leaves open: alarms are
//! compared once a second by day of the month, hour, minute and second, and ring
//! only within two seconds; a day of 0 never comes; writing an alarm forgets
//! that the one before rang; an alarm that rings while the power is still on
//! switches on again after it went.
//!
//! Everything is one byte behind a register number and kept in the board's
//! EEPROM, so each byte is read back when it was written. The EEPROM wears: the
//! board itself writes a byte twice for each wake, and is rated for 100 000
//! writes, which is two years of a wake every twenty minutes.
//!
//! The board's clock may be at any time: an alarm is set as so many seconds from
//! what it says now. A shutdown alarm that an earlier owner left behind is
//! forgotten, since it would cut a night short. UUGear's own program must not
//! run beside this.

use super::BusError;
use crate::error::{DeviceError, FaultKind};
use crate::units::Volts;
use crate::wake::{Armed, DEVICE, PowerCut, WakeAbility, WakeSource, WakeWhen, prove, rings_s};
use crate::wall;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Where it answers unless its register 16 says otherwise.
pub const ADDRESS: u8 = 0x08;
const NAME: &str = "Witty Pi 4";
/// Witty Pi 4, Mini, L3V7.
pub(crate) const IDS: [u8; 3] = [0x26, 0x36, 0x37];
pub(crate) const ID: u8 = 0;
const INPUT_VOLTS: u8 = 1;
const INPUT_CENTIVOLTS: u8 = 2;
const STARTUP_RANG: u8 = 9;
const STARTUP_SECOND: u8 = 27;
const STARTUP_MINUTE: u8 = 28;
const STARTUP_HOUR: u8 = 29;
const STARTUP_DAY: u8 = 30;
const SHUTDOWN_DAY: u8 = 35;
const CLOCK_SECOND: u8 = 58;
const CLOCK_MINUTE: u8 = 59;
const CLOCK_HOUR: u8 = 60;
const CLOCK_DAY: u8 = 61;
const CLOCK_WEEKDAY: u8 = 62;
const CLOCK_MONTH: u8 = 63;
const CLOCK_YEAR: u8 = 64;
/// In the seconds: the clock stood still since it was set.
const LOST: u8 = 0x80;
/// Alarms know no month, so a day has to be the only one of its number ahead.
const AHEAD_S_MAX: i64 = 27 * 86_400;
/// A byte takes 3.4 ms into its EEPROM, in which the board hears badly.
const SETTLE_MS: u32 = 5;
/// How often a byte is said or asked.
const TRIES: u32 = 2;
/// How far the clock may have gone while it was set.
const SET_WITHIN_S: i64 = 2;

/// The board at its address.
#[derive(Debug)]
pub struct WittyPi4<B, D> {
    bus: B,
    delay: D,
    address: u8,
}

/// What the board's clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WittyClock {
    /// Its time, seconds since 1970, if it is kept in UTC.
    pub unix_s: i64,
    /// It was without power since it was set: it runs, at a wrong time.
    pub lost: bool,
}

impl<B: I2c, D: DelayNs> WittyPi4<B, D> {
    /// The board at `address`; nothing is said to it yet.
    pub fn new(bus: B, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// What its clock says.
    ///
    /// # Errors
    /// When it does not answer, or not with a date.
    pub fn clock(&mut self) -> Result<WittyClock, DeviceError> {
        self.recognize()
            .and_then(|()| self.read_clock())
            .map_err(|e| self.fault(e))
    }

    /// Sets its clock to a UTC time, and reads it back.
    ///
    /// # Errors
    /// When it does not answer, or goes on saying another time.
    pub fn set_clock(&mut self, unix_s: i64) -> Result<(), DeviceError> {
        self.recognize().map_err(|e| self.fault(e))?;
        let mut says = unix_s;
        // A second time for the minute that ended between two of its bytes.
        for _ in 0..TRIES {
            let read = self.write_clock(unix_s).and_then(|()| self.read_clock());
            says = read.map_err(|e| self.fault(e))?.unix_s;
            if (0..=SET_WITHIN_S).contains(&says.saturating_sub(unix_s)) {
                return Ok(());
            }
        }
        let message = format!(
            "the clock of the {NAME} was set to {} and says {}; replace its battery",
            wall::date_time(unix_s),
            wall::date_time(says)
        );
        Err(DeviceError::new(DEVICE, FaultKind::Broken, message))
    }

    /// The voltage that it runs on: the battery's, where that is at its input.
    ///
    /// # Errors
    /// When it does not answer, or not with a voltage.
    pub fn input_voltage(&mut self) -> Result<Volts, DeviceError> {
        self.read_voltage().map_err(|e| self.fault(e))
    }

    fn read_voltage(&mut self) -> Result<Volts, BusError<B::Error>> {
        self.recognize()?;
        let (whole, hundredths) = (self.ask(INPUT_VOLTS)?, self.ask(INPUT_CENTIVOLTS)?);
        let volts = f64::from(whole) + f64::from(hundredths) / 100.0;
        let voltage = Volts::new(volts).filter(|_| hundredths < 100);
        voltage.ok_or(BusError::Range)
    }

    fn recognize(&mut self) -> Result<(), BusError<B::Error>> {
        let says = self.ask(ID)?;
        if IDS.contains(&says) {
            return Ok(());
        }
        let says = says.into();
        Err(BusError::Stranger { says })
    }

    fn read_clock(&mut self) -> Result<WittyClock, BusError<B::Error>> {
        let mut clock = self.read_clock_once()?;
        // A minute that ended while it was read mixes two times.
        if self.ask(CLOCK_SECOND)? & !LOST < clock.1 {
            clock = self.read_clock_once()?;
        }
        Ok(clock.0)
    }

    fn read_clock_once(&mut self) -> Result<(WittyClock, u8), BusError<B::Error>> {
        let seconds = self.ask(CLOCK_SECOND)?;
        let minute = from_bcd(self.ask(CLOCK_MINUTE)? & 0x7f)?;
        let hour = from_bcd(self.ask(CLOCK_HOUR)? & 0x3f)?;
        let day = from_bcd(self.ask(CLOCK_DAY)? & 0x3f)?;
        let month = from_bcd(self.ask(CLOCK_MONTH)? & 0x1f)?;
        let year = 2000 + i16::from(from_bcd(self.ask(CLOCK_YEAR)?)?);
        let second = from_bcd(seconds & !LOST)?;
        let unix_s = wall::unix_s(year, [month, day, hour, minute, second]);
        let clock = WittyClock {
            unix_s: unix_s.ok_or(BusError::Range)?,
            lost: seconds & LOST != 0,
        };
        Ok((clock, seconds & !LOST))
    }

    fn write_clock(&mut self, unix_s: i64) -> Result<(), BusError<B::Error>> {
        let moment = wall::civil(unix_s, 0);
        let year = i8::try_from(moment.year() - 2000).map_err(|_| BusError::Range)?;
        let weekday = moment.date().weekday().to_sunday_zero_offset();
        for (register, number) in [
            (CLOCK_SECOND, moment.second()),
            (CLOCK_MINUTE, moment.minute()),
            (CLOCK_HOUR, moment.hour()),
            (CLOCK_DAY, moment.day()),
            (CLOCK_WEEKDAY, weekday),
            (CLOCK_MONTH, moment.month()),
            (CLOCK_YEAR, year),
        ] {
            self.say(register, to_bcd(number)?)?;
        }
        Ok(())
    }

    /// Sets the startup alarm. Half of it could only ring in the two seconds in
    /// which it is written, and would cost one wake.
    fn write_alarm(&mut self, rings_s: i64) -> Result<(), BusError<B::Error>> {
        let moment = wall::civil(rings_s, 0);
        self.tell(SHUTDOWN_DAY, 0)?;
        self.tell(STARTUP_DAY, to_bcd(moment.day())?)?;
        self.tell(STARTUP_HOUR, to_bcd(moment.hour())?)?;
        self.tell(STARTUP_MINUTE, to_bcd(moment.minute())?)?;
        self.tell(STARTUP_SECOND, to_bcd(moment.second())?)
    }

    /// When the startup alarm rings next by the board's clock, which says
    /// `clock_s`; `None` when it does not.
    fn read_alarm(&mut self, clock_s: i64) -> Result<Option<i64>, BusError<B::Error>> {
        let day = from_bcd(self.ask(STARTUP_DAY)?)?;
        let hour = from_bcd(self.ask(STARTUP_HOUR)?)?;
        let minute = from_bcd(self.ask(STARTUP_MINUTE)?)?;
        let second = from_bcd(self.ask(STARTUP_SECOND)?)?;
        if day == 0 || self.ask(STARTUP_RANG)? != 0 {
            return Ok(None);
        }
        let days = 0..=AHEAD_S_MAX / 86_400 + 1;
        let mut moments = days.filter_map(|ahead| {
            let date = wall::civil(clock_s.saturating_add(ahead * 86_400), 0);
            let moment = [date.month(), date.day(), hour, minute, second];
            wall::unix_s(date.year(), moment)
                .filter(|rings_s| date.day() == day && *rings_s > clock_s)
        });
        Ok(moments.next())
    }

    /// Writes a byte and reads it back.
    fn tell(&mut self, register: u8, byte: u8) -> Result<(), BusError<B::Error>> {
        let mut says = byte;
        for _ in 0..TRIES {
            self.say(register, byte)?;
            says = self.ask(register)?;
            if says == byte {
                return Ok(());
            }
        }
        let says = says.into();
        Err(BusError::Stranger { says })
    }

    fn say(&mut self, register: u8, byte: u8) -> Result<(), BusError<B::Error>> {
        self.say_once(register, byte)
            .or_else(|_| self.say_once(register, byte))
    }

    fn say_once(&mut self, register: u8, byte: u8) -> Result<(), BusError<B::Error>> {
        let said = self.bus.write(self.address, &[register, byte]);
        self.delay.delay_ms(SETTLE_MS);
        said.map_err(BusError::Bus)
    }

    fn ask(&mut self, register: u8) -> Result<u8, BusError<B::Error>> {
        super::register::byte(&mut self.bus, self.address, register).or_else(|_| {
            self.delay.delay_ms(SETTLE_MS);
            super::register::byte(&mut self.bus, self.address, register)
        })
    }

    fn fault(&self, error: BusError<B::Error>) -> DeviceError {
        error.at(DEVICE, NAME, self.address)
    }
}

impl<B: I2c + Send, D: DelayNs + Send> WakeSource for WittyPi4<B, D> {
    fn ability(&self) -> WakeAbility {
        WakeAbility {
            name: NAME.to_owned(),
            when: WakeWhen::At {
                ahead_s_max: AHEAD_S_MAX,
            },
            cut: PowerCut::ByItself,
        }
    }

    fn arm(&mut self, at_unix_s: i64, now_unix_s: i64) -> Result<Armed, DeviceError> {
        let clock_s = self.clock()?.unix_s;
        let rings_s = rings_s(NAME, (at_unix_s, now_unix_s), clock_s, AHEAD_S_MAX)?;
        self.write_alarm(rings_s).map_err(|e| self.fault(e))?;
        let says_s = self.read_alarm(clock_s).map_err(|e| self.fault(e))?;
        prove(NAME, rings_s, says_s)?;
        Ok(Armed {
            wakes_unix_s: at_unix_s,
            by: NAME.to_owned(),
        })
    }

    fn disarm(&mut self) -> Result<(), DeviceError> {
        self.recognize()
            .and_then(|()| self.tell(STARTUP_DAY, 0))
            .map_err(|e| self.fault(e))
    }

    /// The board sees the trap's serial line fall silent and cuts by itself.
    fn cut_power(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// Two decimal digits in a byte.
fn from_bcd<E>(byte: u8) -> Result<i8, BusError<E>> {
    let (tens, ones) = (byte >> 4, byte & 0x0f);
    if tens > 9 || ones > 9 {
        return Err(BusError::Range);
    }
    i8::try_from(tens * 10 + ones).map_err(|_| BusError::Range)
}

fn to_bcd<E>(number: i8) -> Result<u8, BusError<E>> {
    let number = u8::try_from(number).ok().filter(|number| *number < 100);
    let number = number.ok_or(BusError::Range)?;
    Ok(((number / 10) << 4) | (number % 10))
}

#[cfg(test)]
mod tests;
