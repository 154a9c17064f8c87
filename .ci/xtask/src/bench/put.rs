//! `cargo xtask bench put`: what it costs to write down one record so that it survives a power cut, in the ledger and, in
//! the same run, with Python's sqlite3 with a log and `synchronous = FULL`.
//!
//! Both take turns, a hundred records each, and every second round in the other order, so that whatever else the machine
//! does hits them alike. Bytes are what the kernel counts for
//! each process: `write_bytes` goes towards the disk, in whole pages of the page cache; `wchar` is what was handed to it.

use super::talk::Talk;
use crate::cli::BenchPutArgs;
use crate::{build, process, say};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::process::Command;

/// Records of one turn.
const TURN_RECORDS: u32 = 100;
/// What a record may cost, towards the disk.
const BOUND_KIB: f64 = 10.0;

/// One contestant.
#[derive(serde::Serialize)]
struct Side {
    name: String,
    /// Over all turns, the first ones with a growing log and the folding back of the log among them.
    puts_per_s: f64,
    /// Of the median turn.
    median_puts_per_s: f64,
    /// Over all turns, KiB per record.
    to_disk_kib: f64,
    to_kernel_kib: f64,
}

#[derive(serde::Serialize)]
struct Report {
    record_bytes: u32,
    records: u32,
    ours: Side,
    python: Side,
    /// Ours against Python's over all turns; more is faster.
    ratio: f64,
    /// The same, median over pairs of turns.
    median_ratio: f64,
}

pub(crate) fn run(args: &BenchPutArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    let target = build::target_folder()?;
    say::step("building the ledger");
    let ledger = build::bench_program(
        build::cargo(&["build", "--release"]),
        ("trapline-store", "put"),
        &target,
    )?;
    let place = args.dir.as_ref().unwrap_or(&target).join("bench-put");
    if place.exists() {
        std::fs::remove_dir_all(&place)?;
    }
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let report = compare(args, &ledger, &place)?;
    std::fs::remove_dir_all(&place)?;
    if args.json {
        say::line(&serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn compare(args: &BenchPutArgs, ledger: &Path, place: &Path) -> Result<Report> {
    let bytes = args.bytes.to_string();
    let mut command = Command::new(ledger);
    command.arg("serve").arg(place.join("ledger")).arg(&bytes);
    let (ours, _) = Talk::start("the ledger", &mut command)?;
    let mut command = Command::new("python3");
    command.arg(process::root().join(".ci/xtask/bench/put.py"));
    command.arg(place.join("python")).arg(&bytes);
    let (python, version) =
        Talk::start("python3", &mut command).context("the yardstick takes python3 with sqlite3")?;
    let mut ours = Contestant::new("the ledger".to_owned(), ours);
    let mut python = Contestant::new(format!("python3, sqlite {version}"), python);
    let turns = (args.records / TURN_RECORDS).max(2);
    for turn in 0..turns {
        if turn % 2 == 0 {
            ours.turn()?;
            python.turn()?;
        } else {
            python.turn()?;
            ours.turn()?;
        }
        say::progress(&format!("turn {} of {turns}", turn + 1));
    }
    say::progress_done();
    let pairs = ours.took_s.iter().zip(&python.took_s);
    let median_ratio = median(pairs.map(|(ours, python)| python / ours).collect());
    let (ours, python) = (ours.sum(), python.sum());
    Ok(Report {
        record_bytes: args.bytes,
        records: turns * TURN_RECORDS,
        ratio: ours.puts_per_s / python.puts_per_s,
        median_ratio,
        ours,
        python,
    })
}

/// One side with what it has done so far.
struct Contestant {
    name: String,
    talk: Talk,
    took_s: Vec<f64>,
    to_disk_bytes: f64,
    to_kernel_bytes: f64,
}

impl Contestant {
    fn new(name: String, talk: Talk) -> Self {
        Self {
            name,
            talk,
            took_s: Vec::new(),
            to_disk_bytes: 0.0,
            to_kernel_bytes: 0.0,
        }
    }

    fn turn(&mut self) -> Result<()> {
        let answer = self.talk.ask(&format!("round {TURN_RECORDS}"))?;
        let numbers: Vec<f64> = answer
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let [took_ns, to_disk, to_kernel] = numbers.as_slice() else {
            anyhow::bail!("{} answers `{answer}`", self.name);
        };
        self.took_s.push(took_ns / 1e9);
        self.to_disk_bytes += to_disk;
        self.to_kernel_bytes += to_kernel;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred turns")]
    fn sum(self) -> Side {
        let records = self.took_s.len() as f64 * f64::from(TURN_RECORDS);
        Side {
            name: self.name,
            puts_per_s: records / self.took_s.iter().sum::<f64>(),
            median_puts_per_s: f64::from(TURN_RECORDS) / median(self.took_s),
            to_disk_kib: self.to_disk_bytes / records / 1024.0,
            to_kernel_kib: self.to_kernel_bytes / records / 1024.0,
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(report: &Report) {
    say::line("");
    say::line(
        "| durable put | put/s | of the median turn | to disk, KiB per record | to the kernel, KiB |",
    );
    say::line("|---|---|---|---|---|");
    for side in [&report.ours, &report.python] {
        say::line(&format!(
            "| {} | {:.0} | {:.0} | {:.2} | {:.2} |",
            side.name,
            side.puts_per_s,
            side.median_puts_per_s,
            side.to_disk_kib,
            side.to_kernel_kib
        ));
    }
    let met = |is_met: bool| if is_met { "met" } else { "missed" };
    say::line(&format!(
        "\n{} records of {} bytes. Against python3: {:.3} times as many puts ({}), median turn {:.3}. To disk: bound {BOUND_KIB} KiB ({}).",
        report.records,
        report.record_bytes,
        report.ratio,
        met(report.ratio > 1.0),
        report.median_ratio,
        met(report.ours.to_disk_kib <= BOUND_KIB),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_sorted_numbers() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
    }
}
