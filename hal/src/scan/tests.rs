//! A bus with parts on it that answer like the real ones, and what the scan
//! makes of it.

use super::*;
use crate::drivers::checksum::crc8;
use embedded_hal::i2c::{ErrorType, NoAcknowledgeSource, Operation};
use embedded_hal_mock::eh1::delay::NoopDelay;
use std::collections::BTreeMap;

const SILENT: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);

/// A part: which answer to which question; the empty question is a plain read.
#[derive(Default)]
struct Played {
    answers: BTreeMap<Vec<u8>, Vec<u8>>,
    asked: Vec<u8>,
}

#[derive(Default)]
struct Bench {
    parts: BTreeMap<u8, Played>,
    /// What fails whatever is asked.
    failing: BTreeMap<u8, ErrorKind>,
    written: Vec<(u8, Vec<u8>)>,
}

impl Bench {
    fn with(mut self, address: u8, answers: &[(&[u8], &[u8])]) -> Self {
        let answers = answers.iter().map(|(q, a)| (q.to_vec(), a.to_vec()));
        let part = Played {
            answers: answers.collect(),
            asked: Vec::new(),
        };
        self.parts.insert(address, part);
        self
    }

    fn scan(&mut self) -> Scan {
        let mut no_wait = NoopDelay::new();
        scan("the bench", self, &mut no_wait, |e| *e == ErrorKind::Other)
    }

    fn what(mut self) -> Vec<(u8, What)> {
        let found = self.scan().found;
        found
            .into_iter()
            .map(|found| (found.address, found.what))
            .collect()
    }
}

impl ErrorType for Bench {
    type Error = ErrorKind;
}

impl I2c for Bench {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        if let Some(failure) = self.failing.get(&address) {
            return Err(*failure);
        }
        let part = self.parts.get_mut(&address).ok_or(SILENT)?;
        for operation in operations {
            match operation {
                Operation::Write(question) => {
                    self.written.push((address, question.to_vec()));
                    part.asked = question.to_vec();
                }
                Operation::Read(into) => {
                    let answer = part.answers.get(&part.asked).ok_or(SILENT)?;
                    for (place, byte) in into.iter_mut().enumerate() {
                        *byte = answer.get(place).copied().unwrap_or(0xff);
                    }
                }
            }
        }
        Ok(())
    }
}

#[test]
fn parts_at_shared_addresses_are_told_apart_by_what_they_say() {
    let sht3x: (&[u8], &[u8]) = (&[0xf3, 0x2d], &[0x80, 0x10, crc8(&[0x80, 0x10])]);
    let serial = [0xbe, 0xef, 0x92, 0x12, 0x34, crc8(&[0x12, 0x34])];
    let sht4x: (&[u8], &[u8]) = (&[0x89], &serial);
    let opt3001: [(&[u8], &[u8]); 3] = [
        (&[], &[0x00]),
        (&[0x7e], &[0x54, 0x49]),
        (&[0x7f], &[0x30, 0x01]),
    ];
    assert_eq!(
        Bench::default().with(0x44, &[sht3x]).what(),
        [(0x44, What::Known("SHT3x, climate"))]
    );
    assert_eq!(
        Bench::default().with(0x44, &[sht4x]).what(),
        [(0x44, What::Known("SHT4x, climate"))]
    );
    assert_eq!(
        Bench::default().with(0x45, &opt3001).what(),
        [(0x45, What::Known("OPT3001, light"))]
    );
}

#[test]
fn battery_sensors_are_told_apart() {
    let ina219: [(&[u8], &[u8]); 2] = [(&[], &[0x39]), (&[0x00], &[0x39, 0x9f])];
    let ina260: [(&[u8], &[u8]); 4] = [
        (&[], &[0x61]),
        (&[0x00], &[0x61, 0x27]),
        (&[0xfe], &[0x54, 0x49]),
        (&[0xff], &[0x22, 0x70]),
    ];
    let ads1115: [(&[u8], &[u8]); 2] = [(&[], &[0x00]), (&[0x01], &[0x63, 0x83])];
    let bench = Bench::default()
        .with(0x40, &ina219)
        .with(0x41, &ina260)
        .with(0x48, &ads1115);
    assert_eq!(
        bench.what(),
        [
            (0x40, What::Known("INA219, battery")),
            (0x41, What::Known("INA260, battery")),
            (0x48, What::Known("ADS1115, battery")),
        ]
    );
}

#[test]
fn the_rest_of_the_list_is_named() {
    let mut aht20 = [0x1c, 0x3b, 0x5e, 0x86, 0x88, 0xb2, 0xd2];
    let bench = Bench::default()
        .with(0x10, &[(&[], &[0]), (&[0x07], &[0x81, 0xc4])])
        .with(0x23, &[(&[], &[0])])
        .with(0x29, &[(&[], &[0]), (&[0xb2], &[0x50])])
        .with(0x38, &[(&[], &aht20)])
        .with(0x3c, &[(&[], &[0])])
        .with(0x51, &[(&[], &[0])])
        .with(
            0x68,
            &[
                (&[], &[0]),
                (&[0x00], &[0x59, 0x07, 0x12, 0x03]),
                (&[0x0f], &[0x88]),
            ],
        )
        .with(0x70, &[(&[], &[0])])
        .with(0x76, &[(&[], &[0]), (&[0xd0], &[0x60])])
        .with(0x77, &[(&[], &[0]), (&[0xd0], &[0x58])]);
    let names: Vec<String> = bench
        .what()
        .iter()
        .map(|(_, what)| what.to_string())
        .collect();
    for (name, expected) in names.iter().zip([
        "VEML7700", "BH1750", "TSL2591", "AHT20", "SSD1306", "PCF8563", "DS3231", "not know",
        "BME280", "BMP280",
    ]) {
        assert!(name.contains(expected), "{name}, not {expected}");
    }
    assert_eq!(names.len(), 10);
    let board = |id: u8| Bench::default().with(0x08, &[(&[], &[0]), (&[0x00], &[id])]);
    assert_eq!(
        board(0x37).what(),
        [(0x08, What::Known("Witty Pi 4, power"))]
    );
    assert_eq!(board(0x00).what(), [(0x08, What::Unknown)]);
    aht20[6] ^= 1;
    let unsure = Bench::default().with(0x38, &[(&[], &aht20)]).what();
    assert_eq!(unsure, [(0x38, What::Likely("AHT20, climate"))]);
}

#[test]
fn nothing_is_written_where_a_byte_could_do_harm() {
    let mut bench = Bench::default();
    for address in ADDRESSES {
        bench = bench.with(address, &[(&[], &[0x00])]);
    }
    bench.scan();
    let careful = [0x20, 0x23, 0x38, 0x39, 0x3c, 0x3d, 0x50, 0x51, 0x5c];
    for (address, bytes) in &bench.written {
        assert!(!careful.contains(address), "{address:#x} got {bytes:x?}");
        assert!(
            bytes.len() == 1 || bytes.as_slice() == [0xf3, 0x2d],
            "a register is set at {address:#x}: {bytes:x?}"
        );
    }
    let resets: Vec<_> = bench.written.iter().filter(|(_, b)| b == &[0xfe]).collect();
    assert!(resets.is_empty(), "an Si7021 would be reset: {resets:x?}");
}

#[test]
fn what_the_kernel_holds_is_left_alone_and_a_hanging_bus_is_given_up() {
    let mut held = Bench::default();
    held.failing.insert(0x68, ErrorKind::Other);
    let scan = held.scan();
    assert_eq!(
        scan.to_string(),
        "the bench\n  0x68  in use by a driver of the kernel\n"
    );
    let mut hanging = Bench::default();
    hanging
        .failing
        .extend(ADDRESSES.map(|address| (address, ErrorKind::Bus)));
    let scan = hanging.scan();
    assert!(scan.hangs && scan.found.is_empty());
    assert!(scan.to_string().contains("unplug its parts"), "{scan}");
}

#[test]
fn an_empty_bus_says_what_to_check() {
    let scan = Bench::default().scan();
    assert_eq!(
        scan.to_string(),
        "the bench\n  nothing answers; check plug, supply and wires\n"
    );
}
