//! What the person at the terminal sees. The only file that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its terminal"
)]

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static ONLY_RESULTS: AtomicBool = AtomicBool::new(false);

/// From now on no steps and no progress, for programs that read along.
pub(crate) fn only_results() {
    ONLY_RESULTS.store(true, Ordering::Relaxed);
}

fn is_silent() -> bool {
    ONLY_RESULTS.load(Ordering::Relaxed)
}

/// A finished line.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// The heading of a step.
pub(crate) fn step(text: &str) {
    if is_silent() {
        return;
    }
    println!("\n== {text}");
    flush();
}

/// A line that the next one overwrites; on a pipe, a plain line.
pub(crate) fn progress(text: &str) {
    if is_silent() {
        return;
    }
    if std::io::stdout().is_terminal() {
        print!("\r\x1b[2K{text}");
    } else {
        println!("{text}");
    }
    flush();
}

/// Ends a line of [`progress`].
pub(crate) fn progress_done() {
    if is_silent() {
        return;
    }
    if std::io::stdout().is_terminal() {
        println!();
    }
}

/// The last words of a command that failed.
pub(crate) fn failure(text: &str) {
    flush();
    eprintln!("xtask: {text}");
}

fn flush() {
    // A closed pipe is the reader's choice.
    drop(std::io::stdout().flush());
}
