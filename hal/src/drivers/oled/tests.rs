//! Transcripts of both chips, each transfer failing, and a display that
//! behaves: with a memory, a plug and an off switch.

use super::*;
use crate::bus_sensors::OpenBus;
use crate::drivers::transcript::{SILENT, TestBus};
use crate::error::{DeviceError, FaultKind};
use crate::panel::{BusPanel, Panel};
use embedded_hal::i2c::{ErrorKind, ErrorType, Operation};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::i2c::Transaction;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

fn settings(chip: OledChip, size: PanelSize) -> Transaction {
    let (rows, wiring) = match size {
        PanelSize::Oled128x32 => (0x1f, 0x02),
        PanelSize::Oled128x64 | PanelSize::Paper296x128 => (0x3f, 0x12),
    };
    let start = [0x00, 0xd5, 0x80, 0xa8, rows, 0xd3, 0x00, 0x40];
    let middle = [0xa1, 0xc8, 0xda, wiring, 0x81, 0x7f];
    let (supply, glass): (&[u8], &[u8]) = match chip {
        OledChip::Ssd1306 => (&[0x8d, 0x14, 0x20, 0x02], &[0xd9, 0xf1, 0xdb, 0x20]),
        OledChip::Sh1106 => (&[0xad, 0x8b], &[0xd9, 0x22, 0xdb, 0x35]),
    };
    let end = [0xa4, 0xa6];
    let all = [&start, supply, &middle, glass, &end].concat();
    Transaction::write(ADDRESS, all)
}

fn page(number: u8, first_column: u8, columns: [u8; 128]) -> [Transaction; 2] {
    let place = vec![0x00, 0xb0 | number, first_column, 0x10];
    let picture = [&[0x40], &columns[..]].concat();
    [
        Transaction::write(ADDRESS, place),
        Transaction::write(ADDRESS, picture),
    ]
}

fn on() -> Transaction {
    Transaction::write(ADDRESS, vec![0x00, 0xaf])
}

fn status(says: u8) -> Transaction {
    Transaction::read(ADDRESS, vec![says])
}

const DARK: [u8; 128] = [0; 128];

/// A dot in the fourth column of the tenth row: the second page, its third bit.
fn dot(size: PanelSize) -> Canvas {
    let mut canvas = Canvas::new(size);
    canvas.set(3, 9, true);
    canvas
}

fn with_dot() -> [u8; 128] {
    let mut columns = DARK;
    columns[3] = 0b10;
    columns
}

/// The dot, sent whole.
fn whole(chip: OledChip, size: PanelSize) -> Vec<Transaction> {
    let pages = u8::try_from(size.height() / 8).unwrap();
    let mut transcript = vec![settings(chip, size)];
    for number in 0..pages {
        let columns = if number == 1 { with_dot() } else { DARK };
        let first_column = if chip == OledChip::Sh1106 { 2 } else { 0 };
        transcript.extend(page(number, first_column, columns));
    }
    transcript.push(on());
    transcript
}

const KINDS: [(OledChip, PanelSize); 3] = [
    (OledChip::Ssd1306, PanelSize::Oled128x64),
    (OledChip::Ssd1306, PanelSize::Oled128x32),
    (OledChip::Sh1106, PanelSize::Oled128x64),
];

#[test]
fn only_what_changed_is_sent_and_one_page_in_turn() {
    for (chip, size) in KINDS {
        let first_column = if chip == OledChip::Sh1106 { 2 } else { 0 };
        let mut transcript = whole(chip, size);
        // Nothing changed: the second page is renewed, the first was sent last time.
        transcript.extend([status(0x00), settings(chip, size)]);
        transcript.extend(page(1, first_column, with_dot()));
        transcript.push(on());
        // The dot goes: its page, and the third in turn.
        transcript.extend([status(0x00), settings(chip, size)]);
        transcript.extend(page(1, first_column, DARK));
        transcript.extend(page(2, first_column, DARK));
        transcript.push(on());
        let mut bus = TestBus::lines(&transcript);
        let mut oled = Oled::new(chip, size, ADDRESS);
        oled.show(&mut bus, &dot(size)).unwrap();
        oled.show(&mut bus, &dot(size)).unwrap();
        oled.show(&mut bus, &Canvas::new(size)).unwrap();
        bus.done();
    }
}

#[test]
fn one_that_was_off_gets_everything_again() {
    let (chip, size) = (OledChip::Ssd1306, PanelSize::Oled128x64);
    for lost in [
        status(0x43),
        status(0).with_error(SILENT),
        status(0).with_error(ErrorKind::Other),
    ] {
        let mut transcript = whole(chip, size);
        transcript.push(lost);
        transcript.extend(whole(chip, size));
        let mut bus = TestBus::lines(&transcript);
        let mut oled = Oled::new(chip, size, ADDRESS);
        oled.show(&mut bus, &dot(size)).unwrap();
        oled.show(&mut bus, &dot(size)).unwrap();
        bus.done();
    }
}

#[test]
fn every_transfer_may_fail_and_the_next_picture_is_whole() {
    for (chip, size) in KINDS {
        let good = whole(chip, size);
        for failing in 0..good.len() {
            for failure in [SILENT, ErrorKind::Bus, ErrorKind::Other] {
                let mut transcript = good[..failing].to_vec();
                transcript.push(good[failing].clone().with_error(failure));
                transcript.extend_from_slice(&good);
                let mut bus = TestBus::lines(&transcript);
                let mut oled = Oled::new(chip, size, ADDRESS);
                let failed = oled.show(&mut bus, &dot(size));
                assert_eq!(failed, Err(BusError::Bus(failure)), "transfer {failing}");
                assert_eq!(oled.show(&mut bus, &dot(size)), Ok(()));
                bus.done();
            }
        }
    }
}

#[test]
fn a_bus_that_hangs_is_asked_once() {
    let (chip, size) = (OledChip::Ssd1306, PanelSize::Oled128x32);
    let mut transcript = whole(chip, size);
    transcript.push(status(0).with_error(ErrorKind::Bus));
    let sleep = Transaction::write(ADDRESS, vec![0x00, 0xae]);
    transcript.extend([sleep.clone(), sleep.with_error(SILENT)]);
    let mut bus = TestBus::lines(&transcript);
    let mut oled = Oled::new(chip, size, ADDRESS);
    oled.show(&mut bus, &dot(size)).unwrap();
    let hangs = oled.show(&mut bus, &dot(size)).unwrap_err();
    assert!(hangs.is_of_the_whole_bus());
    assert_eq!(oled.sleep(&mut bus), Ok(()));
    assert_eq!(oled.sleep(&mut bus), Err(BusError::Bus(SILENT)));
    bus.done();
}

/// A display with a memory of 132 columns, which powers up off and full of noise.
#[derive(Clone)]
struct Display(Arc<Mutex<Glass>>);

struct Glass {
    plugged: bool,
    on: bool,
    honest: bool,
    memory: [[u8; 132]; 8],
    page: usize,
    column: usize,
    sent_bytes: usize,
}

impl Display {
    fn new() -> Self {
        let glass = Glass {
            plugged: true,
            on: false,
            honest: true,
            memory: [[0xa5; 132]; 8],
            page: 0,
            column: 0,
            sent_bytes: 0,
        };
        Self(Arc::new(Mutex::new(glass)))
    }

    fn glass(&self) -> MutexGuard<'_, Glass> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, how: impl FnOnce(&mut Glass)) {
        how(&mut self.glass());
    }

    fn power_cut(&self) {
        self.change(|glass| {
            glass.on = false;
            glass.memory = [[0x5a; 132]; 8];
        });
    }

    fn shows(&self, canvas: &Canvas) -> bool {
        let glass = self.glass();
        let (width, height) = (canvas.panel_size().width(), canvas.panel_size().height());
        let mut places = (0..width).flat_map(|x| (0..height / 8).map(move |page| (x, page)));
        glass.on
            && places.all(|(x, page)| {
                let column = usize::try_from(x).unwrap();
                glass.memory[usize::try_from(page).unwrap()][column] == canvas.column(x, page)
            })
    }

    fn sent_bytes(&self) -> usize {
        std::mem::take(&mut self.glass().sent_bytes)
    }
}

impl ErrorType for Display {
    type Error = ErrorKind;
}

impl I2c for Display {
    fn transaction(
        &mut self,
        _address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        let glass = &mut *self.glass();
        if !glass.plugged {
            return Err(SILENT);
        }
        for operation in operations {
            match operation {
                Operation::Read(answer) => {
                    let off = glass.honest && !glass.on;
                    answer.fill(if off { 0x43 } else { 0x03 });
                }
                Operation::Write([0x00, commands @ ..]) => glass.obey(commands),
                Operation::Write([0x40, columns @ ..]) => glass.store(columns),
                Operation::Write(bytes) => panic!("neither command nor picture: {bytes:?}"),
            }
        }
        Ok(())
    }
}

impl Glass {
    fn obey(&mut self, commands: &[u8]) {
        self.sent_bytes += commands.len() + 1;
        match commands {
            [page @ 0xb0..=0xb7, low @ 0x00..=0x0f, high @ 0x10..=0x1f] => {
                self.page = usize::from(page & 7);
                self.column = usize::from((high & 0x0f) << 4 | low);
            }
            [0xaf] => self.on = true,
            [0xae] => self.on = false,
            settings => assert!(settings.len() > 20, "no such command: {settings:?}"),
        }
    }

    fn store(&mut self, columns: &[u8]) {
        self.sent_bytes += columns.len() + 1;
        for byte in columns {
            self.memory[self.page][self.column] = *byte;
            self.column += 1;
        }
    }
}

impl OpenBus for Display {
    type Bus = Self;
    type Delay = NoopDelay;

    fn open(&mut self, _device: &'static str) -> Result<(Self, NoopDelay), DeviceError> {
        Ok((self.clone(), NoopDelay::new()))
    }
}

fn panel(display: &Display) -> BusPanel<Display> {
    let oled = Oled::new(OledChip::Ssd1306, PanelSize::Oled128x64, ADDRESS);
    BusPanel::new(display.clone(), oled)
}

#[test]
fn a_plug_may_be_pulled_and_put_back() {
    let (display, size) = (Display::new(), PanelSize::Oled128x64);
    let mut panel = panel(&display);
    panel.show(&dot(size)).unwrap();
    assert!(display.shows(&dot(size)));
    assert!(display.sent_bytes() > 1024, "all of it");
    panel.show(&dot(size)).unwrap();
    assert!(display.sent_bytes() < 200, "one page in turn");

    display.change(|glass| glass.plugged = false);
    let fault = panel.show(&dot(size)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Absent);
    assert_eq!(
        fault.to_string(),
        "display: SSD1306 at I²C address 0x3c does not answer; check its plug and its four wires"
    );
    display.power_cut();
    display.change(|glass| glass.plugged = true);
    panel.show(&dot(size)).unwrap();
    assert!(display.shows(&dot(size)));

    display.power_cut();
    panel.show(&Canvas::new(size)).unwrap();
    assert!(display.shows(&Canvas::new(size)), "between two pictures");
}

#[test]
fn a_copy_without_an_honest_status_is_right_after_eight_pictures() {
    let (display, size) = (Display::new(), PanelSize::Oled128x64);
    display.change(|glass| glass.honest = false);
    let mut panel = panel(&display);
    panel.show(&dot(size)).unwrap();
    display.power_cut();
    for _ in 0..8 {
        panel.show(&dot(size)).unwrap();
    }
    assert!(display.shows(&dot(size)));
}

#[test]
fn it_sleeps_dark_and_wakes_with_its_picture() {
    let (display, size) = (Display::new(), PanelSize::Oled128x64);
    let mut panel = panel(&display);
    panel.wake().unwrap();
    assert_eq!(display.sent_bytes(), 0, "there is no picture yet");
    panel.show(&dot(size)).unwrap();
    panel.sleep().unwrap();
    assert!(!display.glass().on);
    display.power_cut();
    panel.wake().unwrap();
    assert!(display.shows(&dot(size)));
}
