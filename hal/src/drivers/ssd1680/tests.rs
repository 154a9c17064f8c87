//! The transcript of one picture, each step of it failing, and panels that are
//! not there in two ways.

use super::*;
use crate::lines::Edge;
use crate::panel::{Panel, WiredPanel};
use embedded_hal::spi::{self, ErrorKind, Operation};
use embedded_hal_mock::eh1::spi::{Mock, Transaction};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the panel at the other end of the wires is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Well,
    UnpluggedLow,
    UnpluggedHigh,
    Stuck,
}

/// The panel at the other end: counts what is done to it and fails at one step.
#[derive(Clone)]
struct End(Arc<Mutex<State>>);

struct State {
    is: Is,
    data: bool,
    commands: Vec<u8>,
    picture: Vec<u8>,
    busy_ms: u32,
    waited_ms: u32,
    steps: u32,
    fails_at: u32,
}

impl End {
    fn new(is: Is, fails_at: u32) -> Self {
        let state = State {
            is,
            data: false,
            commands: Vec::new(),
            picture: Vec::new(),
            busy_ms: 0,
            waited_ms: 0,
            steps: 0,
            fails_at,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self) -> Result<(), ErrorKind> {
        let mut state = self.state();
        state.steps += 1;
        if state.steps == state.fails_at {
            Err(ErrorKind::Other)
        } else {
            Ok(())
        }
    }
}

impl spi::ErrorType for End {
    type Error = ErrorKind;
}

impl SpiDevice for End {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), ErrorKind> {
        self.step()?;
        let state = &mut *self.state();
        for operation in operations {
            match operation {
                Operation::Write([command]) if !state.data => {
                    state.commands.push(*command);
                    if *command == PICTURE {
                        state.picture.clear();
                    }
                    if *command == DRAW && state.is == Is::Well {
                        state.busy_ms = 2_000;
                    }
                }
                Operation::Write(bytes) if state.commands.last() == Some(&PICTURE) => {
                    assert!(bytes.len() <= TRANSFER_BYTES_MAX);
                    state.picture.extend_from_slice(bytes);
                }
                Operation::Write(_) => {}
                other @ (Operation::Read(_)
                | Operation::Transfer(..)
                | Operation::TransferInPlace(_)
                | Operation::DelayNs(_)) => panic!("only writes are spoken here: {other:?}"),
            }
        }
        Ok(())
    }
}

/// The DC line; the reset line is not followed.
struct Line(End, bool);

impl Output for Line {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        self.0.step().map_err(|_| refused())?;
        if self.1 {
            self.0.state().data = level.is_on();
        }
        Ok(())
    }

    fn dims(&self) -> bool {
        false
    }
}

fn refused() -> DeviceError {
    DeviceError::new(
        DEVICE,
        FaultKind::Busy,
        "GPIO25 is taken by another program",
    )
}

impl Input for End {
    fn is_active(&mut self) -> Result<bool, DeviceError> {
        self.step().map_err(|_| refused())?;
        let state = self.state();
        Ok(match state.is {
            Is::Well => state.busy_ms > 0,
            Is::UnpluggedLow => false,
            Is::UnpluggedHigh => true,
            Is::Stuck => state.commands.contains(&DRAW),
        })
    }

    fn next_edge(&mut self, _within_ms: u64) -> Result<Option<Edge>, DeviceError> {
        Ok(None)
    }
}

impl DelayNs for End {
    fn delay_ns(&mut self, ns: u32) {
        let mut state = self.state();
        state.waited_ms += ns / 1_000_000;
        state.busy_ms = state.busy_ms.saturating_sub(ns / 1_000_000);
    }
}

fn wires(end: &End) -> Wires<End, End> {
    Wires {
        spi: end.clone(),
        data: Box::new(Line(end.clone(), true)),
        reset: Box::new(Line(end.clone(), false)),
        busy: Box::new(end.clone()),
        delay: end.clone(),
    }
}

fn show(is: Is, fails_at: u32) -> (Result<(), PaperFault<ErrorKind>>, End) {
    let end = End::new(is, fails_at);
    let shown = Paper::new(wires(&end)).show(&Canvas::new(SIZE));
    assert!(end.state().waited_ms <= WAIT_MS_MAX);
    (shown, end)
}

#[test]
fn the_transcript_of_one_picture() {
    let mut corner = Canvas::new(SIZE);
    corner.set(0, 127, true);
    let mut sent = vec![0xff_u8; 296 * 16];
    sent[0] = 0x7f;
    let sent: Vec<&[u8]> = sent.chunks(1024).collect();
    let mut said: Vec<&[u8]> = vec![&[0x12]];
    said.extend::<[&[u8]; 18]>([
        &[0x01],
        &[0x27, 0x01, 0x00],
        &[0x11],
        &[0x03],
        &[0x44],
        &[0x00, 0x0f],
        &[0x45],
        &[0x00, 0x00, 0x27, 0x01],
        &[0x3c],
        &[0x05],
        &[0x21],
        &[0x00, 0x80],
        &[0x18],
        &[0x80],
        &[0x4e],
        &[0x00],
        &[0x4f],
        &[0x00, 0x00],
    ]);
    said.push(&[0x24]);
    said.extend(sent);
    said.extend::<[&[u8]; 5]>([&[0x22], &[0xf7], &[0x20], &[0x10], &[0x01]]);
    let transfers: Vec<Transaction<u8>> = said
        .into_iter()
        .flat_map(|bytes| {
            [
                Transaction::transaction_start(),
                Transaction::write_vec(bytes.to_vec()),
                Transaction::transaction_end(),
            ]
        })
        .collect();
    let mut mock = Mock::new(&transfers);
    let end = End::new(Is::Well, 0);
    let wires = wires(&end);
    let mut paper = Paper::new(Wires {
        spi: mock.clone(),
        data: wires.data,
        reset: wires.reset,
        // The mock does not hear the command to draw: busy each second time that it is asked.
        busy: Box::new(BusyEachSecond(false)),
        delay: wires.delay,
    });
    paper.show(&corner).unwrap();
    mock.done();
}

struct BusyEachSecond(bool);

impl Input for BusyEachSecond {
    fn is_active(&mut self) -> Result<bool, DeviceError> {
        self.0 = !self.0;
        Ok(self.0)
    }

    fn next_edge(&mut self, _within_ms: u64) -> Result<Option<Edge>, DeviceError> {
        Ok(None)
    }
}

#[test]
fn a_picture_lies_as_it_is_read() {
    let mut canvas = Canvas::new(SIZE);
    canvas.set(0, 0, true);
    canvas.set(295, 120, true);
    let end = End::new(Is::Well, 0);
    Paper::new(wires(&end)).show(&canvas).unwrap();
    let picture = end.state().picture.clone();
    assert_eq!(picture.len(), 296 * 128 / 8);
    assert_eq!(picture[15], 0xfe, "top left: the end of the first row");
    assert_eq!(picture[295 * 16], 0xfe, "the eighth from below, last row");
    let white = picture.iter().filter(|byte| **byte == 0xff).count();
    assert_eq!(white, picture.len() - 2);
}

#[test]
fn every_step_may_fail_and_the_next_picture_succeeds() {
    let (shown, end) = show(Is::Well, 0);
    shown.unwrap();
    let steps = end.state().steps;
    assert!(steps > 60, "{steps}");
    for failing in 1..=steps {
        let (shown, end) = show(Is::Well, failing);
        let fault = shown.unwrap_err();
        assert!(
            matches!(
                fault,
                PaperFault::Bus(ErrorKind::Other) | PaperFault::Line(_)
            ),
            "step {failing}: {fault:?}"
        );
        end.state().busy_ms = 0;
        let again = Paper::new(wires(&end)).show(&Canvas::new(SIZE));
        assert!(again.is_ok(), "after step {failing}");
    }
}

#[test]
fn one_that_is_not_there_is_told_in_time() {
    let words = |is| show(is, 0).0.unwrap_err().in_words();
    let open_line = words(Is::UnpluggedLow);
    assert_eq!(open_line.kind, FaultKind::Absent);
    assert_eq!(
        open_line.to_string(),
        "display: e-paper does not draw; check its plug and its eight wires"
    );
    let pulled_up = words(Is::UnpluggedHigh);
    assert!(pulled_up.message.contains("stays busy"), "{pulled_up}");
    let stuck = words(Is::Stuck);
    assert!(stuck.message.contains("above 0 °C"), "{stuck}");
    let bus = PaperFault::Bus(ErrorKind::Other).in_words();
    assert!(
        bus.message
            .starts_with("e-paper cannot be reached over SPI")
    );
    let line = PaperFault::<ErrorKind>::Line(refused()).in_words();
    assert_eq!(line.message, "GPIO25 is taken by another program");
}

#[test]
fn the_same_picture_is_drawn_once() {
    let end = End::new(Is::Well, 0);
    let mut panel = WiredPanel::new(wires(&end));
    let drawn = || {
        let state = end.state();
        state.commands.iter().filter(|c| **c == DRAW).count()
    };
    let mut canvas = Canvas::new(SIZE);
    panel.show(&canvas).unwrap();
    panel.show(&canvas).unwrap();
    panel.sleep().unwrap();
    assert_eq!(drawn(), 1);
    panel.wake().unwrap();
    assert_eq!(drawn(), 2, "it may have been swapped");
    canvas.set(0, 0, true);
    end.state().is = Is::UnpluggedLow;
    panel.show(&canvas).unwrap_err();
    end.state().is = Is::Well;
    panel.show(&canvas).unwrap();
    assert_eq!(drawn(), 4);
}
