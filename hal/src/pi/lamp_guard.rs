//! What the process of a lamp's guard does on a board, and what is done after the service ended.

use super::gpio::BoardLines;
use crate::error::{DeviceError, FaultKind};
use crate::lamp::Order;
use crate::lamp::guard::{Pipes, asked_to_end, keep};
use crate::lines::{Lines, OutputKind, Wiring};
use rustix::event::{Timespec, poll};
use std::io;
use std::os::fd::AsFd;

const DEVICE: &str = "lamp";
/// A guard that is just ending has the line for 2 s at the most.
const BUSY_TRIES: u32 = 30;
const BUSY_WAIT_NS: i64 = 100_000_000;

/// Guards a lamp on behalf of whoever has the other ends of standard input and output.
///
/// # Errors
/// [`DeviceError`] when the order or its line is none, or the lamp did not go out in the end.
pub fn run<S: AsRef<str>>(args: &[S]) -> Result<(), DeviceError> {
    let broken = |words: &str| DeviceError::new(DEVICE, FaultKind::Broken, words);
    let order = Order::from_args(args).map_err(|e| broken(&e.to_string()))?;
    let stop =
        asked_to_end().map_err(|e| broken("cannot hear signals in its guard").caused_by(e))?;
    let (commands, replies) = (io::stdin(), io::stdout());
    let pipes = Pipes {
        commands: commands.as_fd(),
        replies: replies.as_fd(),
        stop: stop.as_fd(),
    };
    let open = || BoardLines::open().output(DEVICE, &order.wiring, order.kind);
    keep(order.cap_ms, open, pipes)
}

/// Puts a lamp out that nobody guards any more, for the service manager to run after the service.
///
/// # Errors
/// [`DeviceError`] when it cannot be said that the lamp is dark.
pub fn put_out(lines: &dyn Lines, wiring: &Wiring) -> Result<(), DeviceError> {
    let mut tries = 1;
    loop {
        // A line is off when it is opened and off when it is dropped.
        match lines.output(DEVICE, wiring, OutputKind::Switch) {
            Ok(_) => return Ok(()),
            Err(e) if e.kind == FaultKind::Busy && tries < BUSY_TRIES => tries += 1,
            Err(e) => return Err(e),
        }
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: BUSY_WAIT_NS,
        };
        // Waiting for nothing but time; a signal only makes the next try come earlier.
        poll(&mut [], Some(&wait)).ok();
    }
}
