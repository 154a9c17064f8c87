//! Rounds over buses that fail, hang and come back.

use super::*;
use crate::drivers::transcript::{SILENT, TestBus, close};
use embedded_hal::i2c::ErrorKind;
use embedded_hal_mock::eh1::i2c::Transaction;
use std::collections::VecDeque;

/// Gives one transcript for each time that it is opened; when there is none
/// left, there is no bus.
struct Script(VecDeque<TestBus>);

impl Script {
    fn of(rounds: &[Vec<Transaction>]) -> (Self, Vec<TestBus>) {
        let buses: Vec<TestBus> = rounds.iter().map(|lines| TestBus::lines(lines)).collect();
        (Self(buses.iter().cloned().collect()), buses)
    }
}

impl OpenBus for Script {
    type Bus = TestBus;
    type Delay = TestBus;

    fn open(&mut self, device: &'static str) -> Result<(TestBus, TestBus), DeviceError> {
        let bus = self.0.pop_front();
        let bus = bus.ok_or_else(|| DeviceError::new(device, FaultKind::Absent, "no bus"))?;
        Ok((bus.clone(), bus))
    }
}

fn sht3x() -> Vec<Transaction> {
    vec![
        Transaction::write(0x44, vec![0x24, 0x00]),
        Transaction::read(0x44, vec![0x80, 0x00, 0xa2, 0x80, 0x00, 0xa2]),
    ]
}

fn sht3x_fails(failure: ErrorKind) -> Vec<Transaction> {
    vec![Transaction::write(0x44, vec![0x24, 0x00]).with_error(failure)]
}

fn sht4x() -> Vec<Transaction> {
    vec![
        Transaction::write(0x45, vec![0xfd]),
        Transaction::read(0x45, vec![0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92]),
    ]
}

fn bh1750() -> Vec<Transaction> {
    let mut lines: Vec<Transaction> = [0x42, 0x65, 0x20]
        .map(|command| Transaction::write(0x23, vec![command]))
        .into();
    lines.push(Transaction::read(0x23, vec![0x83, 0x90]));
    lines
}

fn ambient(bus: Script) -> BusAmbient<Script> {
    BusAmbient {
        bus,
        climate: vec![
            ClimatePart::Sht3x.into(),
            Fitted::at(ClimatePart::Sht4x, 0x45),
        ],
        light: vec![LightPart::Bh1750.into()],
    }
}

fn devices(faults: &[DeviceError]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.device).collect()
}

#[test]
fn a_spare_is_asked_only_when_it_is_needed() {
    let silent = [sht3x_fails(SILENT), sht3x_fails(SILENT), sht4x()].concat();
    let (bus, buses) = Script::of(&[sht3x(), bh1750(), silent, bh1750()]);
    let mut ambient = ambient(bus);
    let first = ambient.read();
    close(first.temperature.unwrap().celsius(), 42.5, 0.01);
    close(first.light.unwrap().lux(), 28_067.0, 1.0);
    assert!(first.faults.is_empty());
    let second = ambient.read();
    close(second.temperature.unwrap().celsius(), 85.52, 0.01);
    assert_eq!(devices(&second.faults), ["climate"]);
    buses.iter().for_each(TestBus::done);
}

#[test]
fn a_bus_that_hangs_ends_the_round_with_a_reason_for_each() {
    let (bus, buses) = Script::of(&[sht3x_fails(ErrorKind::Bus), Vec::new(), sht3x(), bh1750()]);
    let mut ambient = ambient(bus);
    let hangs = ambient.read();
    assert!(hangs.temperature.is_none() && hangs.light.is_none());
    assert_eq!(devices(&hangs.faults), ["climate", "climate", "light"]);
    let back = ambient.read();
    assert!(back.humidity.is_some() && back.light.is_some() && back.faults.is_empty());
    buses.iter().for_each(TestBus::done);
}

#[test]
fn without_a_bus_each_device_says_so() {
    let reading = ambient(Script::of(&[]).0).read();
    assert_eq!(devices(&reading.faults), ["climate", "light"]);
}

#[test]
fn every_transaction_of_a_round_may_fail_and_the_next_round_is_whole() {
    let (climate_lines, light_lines) = (sht3x(), bh1750());
    for failing in 0..climate_lines.len() + light_lines.len() {
        let mut climate = climate_lines.clone();
        let mut light = light_lines.clone();
        if let Some(line) = climate.get(failing).cloned() {
            climate.truncate(failing);
            climate.push(line.with_error(SILENT));
            climate.extend(sht3x());
        } else {
            let failing = failing - climate_lines.len();
            let line = light[failing].clone();
            light.truncate(failing);
            light.push(line.with_error(SILENT));
            light.extend(bh1750());
        }
        let (bus, buses) = Script::of(&[climate, light, sht3x(), bh1750()]);
        let mut ambient = ambient(bus);
        for round in ["with a failure", "after it"] {
            let reading = ambient.read();
            assert!(reading.temperature.is_some(), "{failing} {round}");
            assert!(reading.light.is_some(), "{failing} {round}");
            assert!(reading.faults.is_empty(), "forgiven: {failing} {round}");
        }
        buses.iter().for_each(TestBus::done);
    }
}

fn ina219(bus_voltage: [u8; 2]) -> Vec<Transaction> {
    vec![
        Transaction::write(0x40, vec![0x00, 0x3d, 0xdb]),
        Transaction::write_read(0x40, vec![0x02], bus_voltage.to_vec()),
        Transaction::write_read(0x40, vec![0x01], vec![0x07, 0xd0]),
        Transaction::write_read(0x40, vec![0x00], vec![0x3d, 0xdb]),
    ]
}

#[test]
fn a_loose_battery_wire_is_no_empty_battery() {
    let (bus, buses) = Script::of(&[ina219([0x5d, 0x9a]), ina219([0x00, 0x0a])]);
    let shunt = ShuntOhms::new(0.1).unwrap();
    let mut battery = BusBattery {
        bus,
        battery: vec![BatteryPart::Ina219(shunt).into()],
    };
    let good = battery.read();
    close(good.battery.unwrap().volts(), 11.98, 1e-9);
    close(good.current.unwrap().amperes(), 0.2, 1e-9);
    let loose = battery.read();
    assert_eq!(loose.battery, None);
    let fault = loose.fault.unwrap().to_string();
    assert!(fault.contains("measures no battery"), "{fault}");
    buses.iter().for_each(TestBus::done);
}
