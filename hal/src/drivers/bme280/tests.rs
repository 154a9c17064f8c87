//! The worked example of Bosch's datasheet, and transcripts made of it.

use super::super::transcript::{
    TestBus, close, measure, reading_whatever_fails, silence_is_no_reading,
};
use super::*;
use embedded_hal_mock::eh1::i2c::Transaction;

/// Section 3.12 of BST-BMP280-DS001: T1 to T3, P1 to P9.
const WORDS: [i32; 12] = [
    27_504, 26_435, -1_000, 36_477, -10_685, 3_024, 2_855, 140, -7, 15_500, -14_600, 6_000,
];
/// H1 to H6 like those of an ordinary sensor, but for H3: it is mostly zero
/// there, and then a wrong place of it in the formula would not be seen.
const HUMIDITY_WORDS: [i32; 6] = [75, 362, 20, 313, 50, 30];
/// The example's temperature and pressure as counted.
const TEMPERATURE: u32 = 519_888;
const PRESSURE: u32 = 415_148;

fn sensor(bus: TestBus, delay: TestBus) -> Bme280<TestBus, TestBus> {
    Bme280::new(bus, delay, ADDRESS)
}

fn id(says: u8) -> Transaction {
    Transaction::write_read(ADDRESS, vec![ID], vec![says])
}

fn factory_bytes() -> ([u8; 26], [u8; 7]) {
    let mut all = [0; 26];
    for (bytes, word) in all.chunks_exact_mut(2).zip(WORDS) {
        bytes.copy_from_slice(&word.to_le_bytes()[..2]);
    }
    let [h1, h2, h3, h4, h5, h6] = HUMIDITY_WORDS;
    all[25] = h1.to_le_bytes()[0];
    let h2 = h2.to_le_bytes();
    let low = |word: i32, bits: u32| (word & ((1 << bits) - 1)).to_le_bytes()[0];
    let humid = [
        h2[0],
        h2[1],
        low(h3, 8),
        low(h4 >> 4, 8),
        low(h4, 4) | (low(h5, 4) << 4),
        low(h5 >> 4, 8),
        low(h6, 8),
    ];
    (all, humid)
}

fn numbers(pressure: u32, temperature: u32, humidity: u16) -> Transaction {
    let mut bytes = Vec::new();
    for number in [pressure, temperature] {
        bytes.extend_from_slice(&(number << 4).to_be_bytes()[1..]);
    }
    bytes.extend(humidity.to_be_bytes());
    Transaction::write_read(ADDRESS, vec![NUMBERS], bytes)
}

fn answer(numbers: Transaction) -> Vec<Transaction> {
    let (all, humid) = factory_bytes();
    vec![
        id(BME280),
        Transaction::write_read(ADDRESS, vec![CALIBRATION], all.to_vec()),
        Transaction::write_read(ADDRESS, vec![CALIBRATION_OF_HUMIDITY], humid.to_vec()),
        Transaction::write(ADDRESS, MEASURE_ONCE.to_vec()),
        Transaction::write_read(ADDRESS, vec![STATUS], vec![0x08]),
        Transaction::write_read(ADDRESS, vec![STATUS], vec![0x00]),
        numbers,
    ]
}

/// The integer form of section 4.2.3, in thousandths of a percent and 1024.
fn percent_in_integers(raw: i64, heat: i64) -> f64 {
    let [h1, h2, h3, h4, h5, h6] = HUMIDITY_WORDS.map(i64::from);
    let heat = heat - 76_800;
    let above = ((raw << 14) - (h4 << 20) - h5 * heat + 16_384) >> 15;
    let with_heat = ((((heat * h6) >> 10) * (((heat * h3) >> 11) + 32_768)) >> 10) + 2_097_152;
    let rough = above * ((with_heat * h2 + 8_192) >> 14);
    let bend = ((((rough >> 15) * (rough >> 15)) >> 7) * h1) >> 4;
    let cut = (rough - bend).clamp(0, 419_430_400) >> 12;
    f64::from(i32::try_from(cut).unwrap()) / 1_024.0
}

#[test]
fn the_example_of_the_datasheet() {
    let (all, humid) = factory_bytes();
    let calibration = Calibration::of(all, humid);
    let heat = calibration.heat(TEMPERATURE);
    close(heat, 128_422.0, 1.0);
    close(heat / 5_120.0, 25.08, 0.005);
    let pascals = calibration.pascals(PRESSURE, heat).unwrap();
    close(pascals, 100_653.27, 0.5);
}

#[test]
fn humidity_is_that_of_the_integer_form() {
    let (all, humid) = factory_bytes();
    let calibration = Calibration::of(all, humid);
    close(calibration.h[3], 313.0, 0.0);
    close(calibration.h[4], 50.0, 0.0);
    for heat in [-150_000_i32, 0, 76_800, 128_422, 300_000] {
        for raw in (15_000..60_000_u16).step_by(500) {
            let integers = percent_in_integers(raw.into(), heat.into());
            close(calibration.percent(raw, heat.into()), integers, 0.05);
        }
    }
}

#[test]
fn twelve_bit_words_keep_their_sign() {
    let calibration = Calibration::of([0; 26], [0, 0, 0, 0xff, 0xef, 0xff, 0x80]);
    close(calibration.h[3], -1.0, 0.0);
    close(calibration.h[4], -2.0, 0.0);
    close(calibration.h[5], -128.0, 0.0);
}

#[test]
fn a_climate_is_read_and_every_transaction_may_fail() {
    let transcript = answer(numbers(PRESSURE, TEMPERATURE, 30_000));
    let reading = reading_whatever_fails(&transcript, sensor);
    close(reading.temperature.celsius(), 25.08, 0.005);
    close(reading.pressure.unwrap().hectopascals(), 1_006.53, 0.01);
    let percent = percent_in_integers(30_000, 128_422);
    close(reading.humidity.percent(), percent, 0.05);
}

#[test]
fn what_was_not_measured_or_cannot_be_is_no_reading() {
    for nonsense in [
        numbers(NOT_MEASURED, TEMPERATURE, 30_000),
        numbers(PRESSURE, NOT_MEASURED, 30_000),
        numbers(PRESSURE, TEMPERATURE, HUMIDITY_NOT_MEASURED),
        numbers(PRESSURE, 0, 30_000),
        numbers(0, TEMPERATURE, 30_000),
        numbers(0xf_ffff, 0xf_ffff, 0xffff),
    ] {
        assert_eq!(measure(&answer(nonsense), sensor), Err(BusError::Range));
    }
}

#[test]
fn a_calibration_of_zeros_is_no_reading() {
    let mut transcript = answer(numbers(PRESSURE, TEMPERATURE, 30_000));
    transcript[1] = Transaction::write_read(ADDRESS, vec![CALIBRATION], vec![0; 26]);
    assert_eq!(measure(&transcript, sensor), Err(BusError::Range));
}

#[test]
fn a_bmp280_is_told_apart() {
    let reading = measure(&[id(BMP280)], sensor);
    assert_eq!(reading, Err(BusError::Stranger { says: 0x58 }));
    silence_is_no_reading(sensor);
}

#[test]
fn one_that_never_finishes_is_given_up() {
    let mut never = answer(numbers(0, 0, 0))[..4].to_vec();
    let busy = Transaction::write_read(ADDRESS, vec![STATUS], vec![0x08]);
    never.extend(vec![busy; 4]);
    assert_eq!(measure(&never, sensor), Err(BusError::NotReady));
}
