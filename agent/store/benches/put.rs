//! The ledger as a program that puts one record after the other, for `cargo xtask bench put`, which lets it and others
//! take turns.
//!
//! ```text
//! put serve DIR BYTES     a new ledger in DIR; says `ready`, then obeys `round N` on its input
//! ```
//!
//! A record is a missed shot with its reason, as a trap writes down when a camera does not answer; its words are as long
//! as it takes for BYTES of JSON on the wire. A round answers with the nanoseconds that it took, the bytes that the
//! kernel counts as sent towards the disk (`write_bytes`), and those that were handed to the kernel (`wchar`).
#![expect(
    clippy::disallowed_methods,
    reason = "a bench takes real time and keeps nothing"
)]

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use trapline_store::{BatchLimits, Ledger, OsDisk, Span};
use trapline_wire::LedgerId;
use trapline_wire::v1::{ClockQuality, MissReason, Stamp};

type Error = Box<dyn std::error::Error>;

/// Between two shots.
const EVERY_MS: i64 = 20 * 60_000;
const FIRST_DUE_MS: i64 = 1_780_272_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", folder, bytes] => serve(Path::new(folder), bytes),
        // `cargo bench` and `cargo test --benches` come with words of their own: nothing to do.
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: &Path, bytes: &str) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let (mut ledger, _) = Ledger::open(
        folder,
        Arc::new(OsDisk),
        || LedgerId(0x7f3a_9c21),
        &stamp(0),
    )?;
    let detail = detail_for(&mut ledger, bytes.parse()?)?;
    writeln!(out, "ready")?;
    let mut number = 1;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let puts: i64 = line.strip_prefix("round ").unwrap_or_default().parse()?;
        let before = Written::now()?;
        let started = Instant::now();
        for _ in 0..puts {
            put(&mut ledger, number, &detail)?;
            number += 1;
        }
        let took_ns = started.elapsed().as_nanos();
        let after = Written::now()?;
        writeln!(
            out,
            "{took_ns} {} {}",
            after.to_disk.saturating_sub(before.to_disk),
            after.to_kernel.saturating_sub(before.to_kernel)
        )?;
    }
    Ok(())
}

fn put(ledger: &mut Ledger, number: i64, detail: &str) -> Result<(), Error> {
    let due_ms = FIRST_DUE_MS + number * EVERY_MS;
    let span = Span {
        due_ms,
        last_due_ms: due_ms,
        shots: 1,
    };
    ledger.miss_span(span, MissReason::Camera, detail, &stamp(number))?;
    Ok(())
}

/// The words with which a record has so many bytes of JSON on the wire; found by putting one and looking at it.
fn detail_for(ledger: &mut Ledger, bytes: usize) -> Result<String, Error> {
    put(ledger, 0, "")?;
    let outgoing = ledger.outgoing(BatchLimits::default())?;
    let record = outgoing.batch().effort.first().ok_or("no record waits")?;
    let bare = serde_json::to_string(record)?.len();
    let words = bytes
        .checked_sub(bare)
        .ok_or_else(|| format!("a record has {bare} bytes at least"))?;
    Ok("the camera does not answer; "
        .chars()
        .cycle()
        .take(words)
        .collect())
}

fn stamp(number: i64) -> Stamp {
    Stamp {
        unix_ms: FIRST_DUE_MS + number * EVERY_MS + 1_500,
        quality: ClockQuality::Synced,
        boot_id: "5a5c1b0e-9d0c-4b9e-8a51-2c7f0a9b5d11".to_owned(),
        uptime_ms: u64::try_from(FIRST_DUE_MS / 1000 + number).unwrap_or(0),
    }
}

/// What this process wrote since it began, in bytes.
struct Written {
    to_disk: u64,
    to_kernel: u64,
}

impl Written {
    fn now() -> Result<Self, Error> {
        let text = std::fs::read_to_string("/proc/self/io")?;
        let count = |name: &str| -> Result<u64, Error> {
            let found = text.lines().find_map(|line| line.strip_prefix(name));
            Ok(found.ok_or("the kernel does not count")?.trim().parse()?)
        };
        Ok(Self {
            to_disk: count("write_bytes:")?,
            to_kernel: count("wchar:")?,
        })
    }
}
