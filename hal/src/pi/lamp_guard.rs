//! What the process of a lamp's guard does on a board, and what is done after the service ended.

use super::gpio::BoardLines;
use crate::error::{DeviceError, FaultKind};
use crate::lamp::Order;
use crate::lamp::guard::{Pipes, asked_to_end, keep};
use crate::lines::{Lines, Output, OutputKind, Wiring};
use rustix::event::{Timespec, poll};
use std::io;
use std::os::fd::AsFd;

const DEVICE: &str = "lamp";
/// A guard that is just ending has the line for 2 s at the most, and mostly for no time at all.
const BUSY_TRIES: u32 = 120;
const BUSY_WAIT_NS: i64 = 20_000_000;

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
    let open = || take(&BoardLines::open(), &order.wiring, order.kind, pause);
    keep(order.cap_ms, open, pipes)
}

/// Puts a lamp out that nobody guards any more, for the service manager to run after the service.
///
/// # Errors
/// [`DeviceError`] when it cannot be said that the lamp is dark.
pub fn put_out(lines: &dyn Lines, wiring: &Wiring) -> Result<(), DeviceError> {
    // A line is off when it is opened and off when it is dropped.
    take(lines, wiring, OutputKind::Switch, pause).map(drop)
}

/// Takes a lamp's line, which the guard before may still have.
fn take(
    lines: &dyn Lines,
    wiring: &Wiring,
    kind: OutputKind,
    mut pause: impl FnMut(),
) -> Result<Box<dyn Output>, DeviceError> {
    for _ in 1..BUSY_TRIES {
        match lines.output(DEVICE, wiring, kind) {
            Err(e) if e.kind == FaultKind::Busy => pause(),
            taken => return taken,
        }
    }
    lines.output(DEVICE, wiring, kind)
}

fn pause() {
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: BUSY_WAIT_NS,
    };
    // Waiting for nothing but time; a signal only makes the next try come earlier.
    poll(&mut [], Some(&wait)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::fake::FakeLines;

    #[test]
    fn a_line_that_is_still_held_is_waited_for() {
        let lines = FakeLines::default();
        let wiring = "GPIO18".parse().unwrap();
        let take = |pauses: &mut u32| {
            let pause = || *pauses += 1;
            take(&lines, &wiring, OutputKind::Switch, pause).map(drop)
        };
        let mut pauses = 0;
        lines.busy_for(2);
        take(&mut pauses).unwrap();
        assert_eq!((pauses, lines.line().levels()), (2, vec![0, 0]));
        lines.busy_for(BUSY_TRIES);
        assert_eq!(take(&mut pauses).unwrap_err().kind, FaultKind::Busy);
    }

    #[test]
    fn an_order_that_is_none_is_refused() {
        let error = run(&["GPIO18", "dim"]).unwrap_err();
        assert!(error.message.contains("is started with a line"), "{error}");
    }
}
