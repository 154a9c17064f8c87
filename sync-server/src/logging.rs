//! The only place that knows where log lines go: journald with their fields
//! when it listens, else lines on stderr.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::Write as _;

/// Starts logging at `level`. A second call changes nothing.
pub fn start(level: LevelFilter) {
    let installed = if systemd_journal_logger::connected_to_journal() {
        systemd_journal_logger::JournalLog::new().is_ok_and(|journal| journal.install().is_ok())
    } else {
        false
    };
    if installed || log::set_logger(&Lines).is_ok() {
        log::set_max_level(level);
    }
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with("trapline");
        ours || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // Nobody is left to tell when stderr is gone.
            drop(writeln!(
                std::io::stderr().lock(),
                "{:5} {}",
                record.level(),
                record.args()
            ));
        }
    }

    fn flush(&self) {}
}
