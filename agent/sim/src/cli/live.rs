//! `trapline-sim live`: the traps of the demo.

use super::{say, size};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use trapline_sim::live::{self, Board, LivePlan};
use trapline_sim::plate::Size;
use trapline_wire::TrapKey;

/// How often a line of progress is printed.
const TELL_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Address of the server, such as `http://127.0.0.1:8080`.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A file with a line `NAME KEY` for each trap.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Where the traps keep their ledgers; a temporary folder if absent.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The same seed gives the same insects and the same weather.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many days of the past.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=365))]
    days: u32,
    /// Minutes between two pictures of the past.
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=1440))]
    past_every: u32,
    /// Seconds between two pictures of a trap from now on.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    every: u32,
    /// Width and height of the pictures in pixels.
    #[arg(long, default_value = "768x1024", value_parser = size)]
    size: Size,
}

pub(super) fn run(args: &LiveArgs) -> anyhow::Result<ExitCode> {
    let temporary = tempfile::Builder::new()
        .prefix("trapline-live-")
        .tempdir()?;
    let folder = args.keep.as_deref().unwrap_or(temporary.path());
    let plan = LivePlan {
        server: args.server.clone(),
        traps: read_keys(&args.keys)?,
        folder: folder.to_owned(),
        seed: args.seed,
        days: args.days,
        past_every_minutes: args.past_every,
        size: args.size,
        every: Duration::from_secs(args.every.into()),
        now_ms,
    };
    let board = Arc::new(Board::default());
    let traps = plan.traps.len();
    let worker = {
        let board = Arc::clone(&board);
        std::thread::spawn(move || live::run(&plan, &board))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(watch(&board, traps, || worker.is_finished()))?;
    match worker.join() {
        Ok(done) => done?,
        Err(_) => anyhow::bail!("the simulation panicked"),
    }
    tell(&board, traps)?;
    Ok(ExitCode::SUCCESS)
}

async fn watch(board: &Board, traps: usize, is_finished: impl Fn() -> bool) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut tick = tokio::time::interval(TELL_EVERY);
    while !is_finished() {
        tokio::select! {
            _ = terminate.recv() => board.stop(),
            _ = interrupt.recv() => board.stop(),
            _ = tick.tick() => tell(board, traps)?,
        }
    }
    Ok(())
}

fn tell(board: &Board, traps: usize) -> anyhow::Result<()> {
    let done = board.done();
    let phase = if usize::try_from(done.past_told)? == traps {
        "live"
    } else {
        "telling the past"
    };
    say(&format!(
        "live: captures {}, on the server {}, missed {} ({phase})",
        done.captures, done.on_server, done.missed
    ))
}

fn read_keys(file: &Path) -> anyhow::Result<Vec<(String, TrapKey)>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut traps = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let place = || format!("line {number} of {}", file.display());
        let (name, key) = line
            .rsplit_once(' ')
            .with_context(|| format!("{}: `NAME KEY` is needed", place()))?;
        traps.push((name.trim().to_owned(), key.parse().with_context(place)?));
    }
    anyhow::ensure!(!traps.is_empty(), "no trap in {}", file.display());
    Ok(traps)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo goes on at the time of the people who watch it"
)]
fn now_ms() -> i64 {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
