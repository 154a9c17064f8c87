//! One transcript of what goes over the wire, and a board that behaves, with
//! each of its transactions failing.

use super::*;
use crate::drivers::transcript::{SILENT, TestBus};
use embedded_hal::i2c::{ErrorKind, ErrorType, Operation};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::i2c::Transaction;
use proptest::prelude::*;

/// 2026-11-21 16:40:00.
const NOW: i64 = 1_795_279_200;
const AT: i64 = NOW + 5 * 3_600;

fn reads(register: u8, byte: u8) -> Transaction {
    Transaction::write_read(ADDRESS, vec![register], vec![byte])
}

fn tells(register: u8, byte: u8) -> [Transaction; 2] {
    let write = Transaction::write(ADDRESS, vec![register, byte]);
    [write, reads(register, byte)]
}

#[test]
fn an_alarm_at_21_40_goes_over_the_wire() {
    let mut transcript = vec![reads(0, 0x26)];
    // 16:40:07 on 21 November 2026, and the seconds once more.
    let clock = [
        (58, 0x07),
        (59, 0x40),
        (60, 0x16),
        (61, 0x21),
        (63, 0x11),
        (64, 0x26),
        (58, 0x07),
    ];
    transcript.extend(clock.map(|(register, byte)| reads(register, byte)));
    let alarm = [(35, 0), (30, 0x21), (29, 0x21), (28, 0x40), (27, 0x07)];
    transcript.extend(
        alarm
            .iter()
            .flat_map(|(register, byte)| tells(*register, *byte)),
    );
    let read_back = [(30, 0x21), (29, 0x21), (28, 0x40), (27, 0x07), (9, 0)];
    transcript.extend(read_back.map(|(register, byte)| reads(register, byte)));
    let bus = TestBus::lines(&transcript);
    let armed = WittyPi4::new(bus.clone(), bus.clone(), ADDRESS).arm(AT, NOW);
    bus.done();
    assert_eq!(armed.unwrap().wakes_unix_s, AT, "its clock is 7 s ahead");
}

/// A board that behaves, and fails where it is told to.
struct Board {
    registers: [u8; 72],
    transactions: usize,
    fails: std::ops::Range<usize>,
    failure: ErrorKind,
    /// A byte that its EEPROM no longer takes.
    worn: Option<u8>,
    /// Seconds that pass with every transaction.
    ticks: bool,
}

impl Board {
    /// One whose clock says `unix_s`.
    fn at(unix_s: i64) -> Self {
        let mut registers = [0; 72];
        registers[0] = 0x37;
        // A shutdown alarm of an earlier owner, and a startup that rang.
        registers[32..36].copy_from_slice(&[0x00, 0x30, 0x22, 0x21]);
        registers[9] = 1;
        let mut board = Self {
            registers,
            transactions: 0,
            fails: 0..0,
            failure: SILENT,
            worn: None,
            ticks: false,
        };
        board.set(unix_s);
        board
    }

    fn set(&mut self, unix_s: i64) {
        let moment = wall::civil(unix_s, 0);
        let year = i8::try_from(moment.year() - 2000).unwrap();
        let clock = [
            moment.second(),
            moment.minute(),
            moment.hour(),
            moment.day(),
            0,
            moment.month(),
            year,
        ];
        for (register, number) in self.registers[58..65].iter_mut().zip(clock) {
            *register = to_bcd::<()>(number).unwrap();
        }
    }

    fn clock(&self) -> i64 {
        let part = |register: usize| from_bcd::<()>(self.registers[register] & 0x7f).unwrap();
        let moment = [part(63), part(61), part(60), part(59), part(58)];
        wall::unix_s(2000 + i16::from(part(64)), moment).unwrap()
    }

    fn alarm(&self) -> [u8; 4] {
        [30, 29, 28, 27].map(|register: usize| self.registers[register])
    }
}

impl ErrorType for &mut Board {
    type Error = ErrorKind;
}

impl I2c for &mut Board {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        self.transactions += 1;
        if self.ticks {
            let next_s = self.clock() + 1;
            self.set(next_s);
        }
        if self.fails.contains(&(self.transactions - 1)) {
            return Err(self.failure);
        }
        match operations {
            [Operation::Write([register, byte])] => {
                if (27..=31).contains(register) {
                    self.registers[9] = 0;
                }
                if self.worn != Some(*register) {
                    self.registers[usize::from(*register)] = *byte;
                }
            }
            [Operation::Write([register]), Operation::Read(answer)] => {
                answer[0] = self.registers[usize::from(*register)];
            }
            _ => panic!("the board hears one byte at a time: {operations:?}"),
        }
        Ok(())
    }
}

fn witty(board: &mut Board) -> WittyPi4<&mut Board, NoopDelay> {
    WittyPi4::new(board, NoopDelay::new(), ADDRESS)
}

#[test]
fn every_transaction_may_fail_once_and_none_twice() {
    let mut board = Board::at(NOW);
    witty(&mut board).arm(AT, NOW).unwrap();
    let transactions = board.transactions;
    for failing in 0..transactions {
        for failure in [SILENT, ErrorKind::Bus, ErrorKind::Other] {
            let mut board = Board::at(NOW);
            (board.fails, board.failure) = (failing..failing + 1, failure);
            let armed = witty(&mut board).arm(AT, NOW);
            assert!(armed.is_ok(), "transaction {failing}: {armed:?}");
            assert_eq!(board.alarm(), [0x21, 0x21, 0x40, 0x00]);

            let mut board = Board::at(NOW);
            (board.fails, board.failure) = (failing..failing + 2, failure);
            let fault = witty(&mut board).arm(AT, NOW).unwrap_err();
            assert!(
                fault.message.starts_with("Witty Pi 4 at I²C address 0x08"),
                "{fault}"
            );
            assert_eq!(fault.kind == FaultKind::Absent, failure == SILENT);
        }
    }
}

#[test]
fn an_earlier_owners_alarms_are_forgotten() {
    let mut board = Board::at(NOW);
    witty(&mut board).arm(AT, NOW).unwrap();
    assert_eq!(board.registers[35], 0, "it would cut the power at 22:30");
    assert_eq!(board.registers[9], 0, "what rang before does not count");
    witty(&mut board).disarm().unwrap();
    assert_eq!(board.registers[30], 0);
}

#[test]
fn a_clock_that_was_never_set_wakes_in_time_all_the_same() {
    let midnight_2019 = 1_546_300_800;
    let mut board = Board::at(midnight_2019);
    let armed = witty(&mut board).arm(AT, NOW).unwrap();
    assert_eq!(armed.wakes_unix_s, AT);
    assert_eq!(board.alarm(), [0x01, 0x05, 0x00, 0x00], "five hours on");
    board.registers[58] |= 0x80;
    let clock = witty(&mut board).clock().unwrap();
    assert_eq!(
        clock,
        WittyClock {
            unix_s: midnight_2019,
            lost: true
        }
    );
}

#[test]
fn a_byte_that_does_not_hold_is_no_alarm() {
    for worn in [27, 28, 29, 30] {
        let mut board = Board::at(NOW);
        board.registers[usize::from(worn)] = 0x13;
        board.worn = Some(worn);
        let fault = witty(&mut board).arm(AT, NOW).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Broken, "{worn}: {fault}");
    }
    let mut board = Board::at(NOW);
    board.registers[0] = 0x55;
    let stranger = witty(&mut board).arm(AT, NOW).unwrap_err();
    assert!(
        stranger.message.contains("is not what answers there"),
        "{stranger}"
    );
}

#[test]
fn the_clock_is_set_and_a_minute_may_end_meanwhile() {
    let mut board = Board::at(0x5000_0000);
    witty(&mut board).set_clock(NOW).unwrap();
    assert_eq!(board.clock(), NOW);
    assert_eq!(board.registers[62], 6, "a Saturday");
    // Read at 16:59:58 and on, a second for each byte.
    let mut board = Board::at(NOW + 19 * 60 + 57);
    board.ticks = true;
    let clock = witty(&mut board).clock().unwrap().unix_s;
    assert!(
        (clock - NOW - 20 * 60).abs() < 20,
        "{}",
        wall::date_time(clock)
    );
}

#[test]
fn its_input_is_read_as_a_voltage() {
    let mut board = Board::at(NOW);
    board.registers[1..3].copy_from_slice(&[12, 68]);
    let voltage = witty(&mut board).input_voltage().unwrap();
    assert_eq!(Some(voltage), Volts::new(12.68));
    board.registers[2] = 255;
    assert!(witty(&mut board).input_voltage().is_err());
}

#[test]
fn silence_and_noise_are_no_alarm() {
    for byte in [0x00, 0xff] {
        let bus = TestBus::always(byte);
        let mut witty = WittyPi4::new(bus.clone(), bus, ADDRESS);
        assert!(witty.arm(AT, NOW).is_err());
        assert!(witty.input_voltage().is_err());
    }
}

proptest! {
    #[test]
    fn any_time_in_27_days_is_read_back_as_it_was_set(
        clock_s in 946_684_800..4_000_000_000_i64,
        ahead_s in 3..=AHEAD_S_MAX,
    ) {
        let mut board = Board::at(clock_s);
        let armed = witty(&mut board).arm(NOW + ahead_s, NOW);
        prop_assert_eq!(armed.unwrap().wakes_unix_s, NOW + ahead_s);
        let too_far = witty(&mut board).arm(NOW + AHEAD_S_MAX + 1, NOW);
        prop_assert!(too_far.is_err());
    }
}
