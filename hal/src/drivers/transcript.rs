//! Buses for tests: one that holds a driver to a transcript and fails where it
//! is told to, and others that say nonsense.

use super::{BusError, Part};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) const SILENT: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);

/// A bus and its waits in one, so that a driver can be given both.
#[derive(Clone)]
pub(crate) struct TestBus {
    says: Arc<Mutex<Says>>,
    waited_ns: Arc<Mutex<u64>>,
}

enum Says {
    /// What the transcript says.
    Lines(Mock),
    /// The same byte for ever: a bus without pull-ups, or one that turns silence into zeros.
    Always(u8),
    /// Bytes without a meaning.
    Noise(u64),
}

impl TestBus {
    pub(crate) fn lines(transcript: &[Transaction]) -> Self {
        Self::of(Says::Lines(Mock::new(transcript)))
    }

    pub(crate) fn always(byte: u8) -> Self {
        Self::of(Says::Always(byte))
    }

    fn noise(seed: u64) -> Self {
        Self::of(Says::Noise(seed))
    }

    fn of(says: Says) -> Self {
        Self {
            says: Arc::new(Mutex::new(says)),
            waited_ns: Arc::default(),
        }
    }

    /// That the whole transcript was spoken.
    pub(crate) fn done(&self) {
        if let Says::Lines(mock) = &mut *self.says.lock().unwrap() {
            mock.done();
        }
    }

    fn waited_ms(&self) -> u64 {
        self.waited_ns.lock().unwrap().div_ceil(1_000_000)
    }
}

impl ErrorType for TestBus {
    type Error = ErrorKind;
}

impl I2c for TestBus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        match &mut *self.says.lock().unwrap_or_else(PoisonError::into_inner) {
            Says::Lines(mock) => match operations {
                [Operation::Write(sent)] => mock.write(address, sent),
                [Operation::Read(answer)] => mock.read(address, answer),
                [Operation::Write(sent), Operation::Read(answer)] => {
                    mock.write_read(address, sent, answer)
                }
                _ => panic!("no driver speaks like this: {operations:?}"),
            },
            Says::Always(byte) => {
                fill(operations, || *byte);
                Ok(())
            }
            Says::Noise(state) => {
                fill(operations, || {
                    *state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    state.to_be_bytes()[0]
                });
                Ok(())
            }
        }
    }
}

fn fill(operations: &mut [Operation<'_>], mut byte: impl FnMut() -> u8) {
    for operation in operations {
        if let Operation::Read(answer) = operation {
            answer.fill_with(&mut byte);
        }
    }
}

impl DelayNs for TestBus {
    fn delay_ns(&mut self, ns: u32) {
        *self.waited_ns.lock().unwrap() += u64::from(ns);
    }
}

/// What a driver makes of a transcript, which it has to speak to its end.
pub(crate) fn measure<P: Part>(
    transcript: &[Transaction],
    make: impl Fn(TestBus, TestBus) -> P,
) -> Result<P::Reading, BusError<P::BusFailure>> {
    let bus = TestBus::lines(transcript);
    let reading = make(bus.clone(), bus.clone()).measure();
    bus.done();
    assert!(
        bus.waited_ms() <= P::WAIT_MS_MAX.into(),
        "it waits too long"
    );
    reading
}

/// The reading of a good transcript, after each of its transactions has failed
/// once in each way: every failure is told, and the next measurement succeeds.
pub(crate) fn reading_whatever_fails<P>(
    good: &[Transaction],
    make: impl Fn(TestBus, TestBus) -> P,
) -> P::Reading
where
    P: Part<BusFailure = ErrorKind>,
    P::Reading: Debug + PartialEq,
{
    let reading = measure(good, &make).unwrap();
    for failing in 0..good.len() {
        for failure in [SILENT, ErrorKind::Bus, ErrorKind::Other] {
            let mut transcript = good[..failing].to_vec();
            transcript.push(good[failing].clone().with_error(failure));
            transcript.extend_from_slice(good);
            let bus = TestBus::lines(&transcript);
            let mut part = make(bus.clone(), bus.clone());
            assert_eq!(
                part.measure(),
                Err(BusError::Bus(failure)),
                "transaction {failing}"
            );
            assert_eq!(part.measure().as_ref(), Ok(&reading), "after {failing}");
            bus.done();
        }
    }
    nonsense_ends(&make);
    reading
}

/// Whatever the bus says, a driver neither panics nor waits for ever.
fn nonsense_ends<P: Part>(make: impl Fn(TestBus, TestBus) -> P) {
    for seed in 0..500_u64 {
        let bus = TestBus::noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let reading = make(bus.clone(), bus.clone()).measure();
        drop(reading);
        assert!(bus.waited_ms() <= P::WAIT_MS_MAX.into(), "noise {seed}");
    }
}

/// A bus of nothing but zeros, or nothing but ones, gives no reading.
pub(crate) fn silence_is_no_reading<P: Part>(make: impl Fn(TestBus, TestBus) -> P) {
    for byte in [0x00, 0xff] {
        let bus = TestBus::always(byte);
        let reading = make(bus.clone(), bus.clone()).measure();
        assert!(
            reading.is_err(),
            "{} made a reading of {byte:#04x}",
            P::NAME
        );
        assert!(bus.waited_ms() <= P::WAIT_MS_MAX.into());
    }
}

/// Whether a number is the expected one but for rounding.
pub(crate) fn close(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{found}, not {expected}"
    );
}
