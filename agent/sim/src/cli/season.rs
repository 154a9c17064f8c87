//! `trapline-sim season`: runs it, shows it, and says which law broke and where.

use super::say;
use anyhow::Context as _;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use trapline_sim::laws::{ALL, Law};
use trapline_sim::season::{self, Plan, Progress, Season};
use trapline_sim::trace::first_difference;

/// Places of one law that are shown; the rest is counted.
const SHOWN_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct SeasonArgs {
    /// How many traps.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=99))]
    traps: u32,
    /// How many days of trouble; some hours of good weather follow.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// The same seed plays the same season.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Time between two shots, such as 20m.
    #[arg(long, default_value = "20m", value_parser = minutes)]
    every: Duration,
    /// Keep ledgers, server and trace in this folder, which must be empty or absent.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Play it a second time and compare the traces.
    #[arg(long)]
    twice: bool,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SeasonArgs) -> anyhow::Result<ExitCode> {
    let mut plan = Plan::new(args.traps, args.days, args.seed);
    plan.every = args.every;
    let began = now();
    let first = play(&plan, args.keep.as_deref())?;
    let took = began.elapsed();
    let mut is_repeatable = None;
    if args.twice {
        let second = play(&plan, None)?;
        is_repeatable = Some(second.digest == first.digest);
        if let Some((number, one, other)) = first_difference(&first.trace, &second.trace) {
            say(&format!(
                "the traces differ in line {number}:\n  first:  {one}\n  second: {other}"
            ))?;
        }
    }
    if args.json {
        say(&summary(&plan, &first, is_repeatable).to_string())?;
    } else {
        show(&plan, &first, took)?;
        if let Some(is_same) = is_repeatable {
            say(if is_same {
                "the second run gives the same trace"
            } else {
                "the second run gives ANOTHER trace"
            })?;
        }
    }
    let is_good = first.broken.is_empty() && is_repeatable != Some(false);
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn play(plan: &Plan, keep: Option<&Path>) -> anyhow::Result<Season> {
    let temporary = tempfile::Builder::new().prefix("trapline-sim-").tempdir()?;
    let folder = match keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            let is_empty = std::fs::read_dir(folder)?.next().is_none();
            anyhow::ensure!(is_empty, "{} is not empty", folder.display());
            folder
        }
        None => temporary.path(),
    };
    let days = plan.days;
    let is_watched = std::io::stderr().is_terminal();
    let mut tell = |progress: Progress| {
        let counts = &progress.counts;
        let line = format!(
            "day {}/{days}: {} requests, {} power cuts, {} answers lost",
            progress.day,
            counts.requests,
            counts.power_cuts(),
            counts.lost_answers
        );
        let end = if is_watched { "\r" } else { "\n" };
        // Progress that nobody can read is no reason to stop.
        drop(write!(std::io::stderr(), "{line}    {end}"));
    };
    let season = season::run(plan, folder, &mut tell)?;
    if is_watched {
        drop(writeln!(std::io::stderr()));
    }
    if let Some(folder) = keep {
        put(&folder.join("trace.txt"), &season.trace)?;
    }
    Ok(season)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a report for people; nothing depends on it"
)]
fn put(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the person at the terminal waited; the season has its own time"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn by_law(season: &Season) -> BTreeMap<Law, Vec<String>> {
    let mut places: BTreeMap<Law, Vec<String>> = BTreeMap::new();
    for broken in &season.broken {
        let place = format!("{}: {}", broken.trap, broken.what);
        places.entry(broken.law).or_default().push(place);
    }
    places
}

fn show(plan: &Plan, season: &Season, took: Duration) -> anyhow::Result<()> {
    let counts = &season.counts;
    let missed: u64 = season.missed.values().sum();
    let reasons: Vec<String> = season
        .missed
        .iter()
        .map(|(reason, shots)| format!("{shots} {}", format!("{reason:?}").to_lowercase()))
        .collect();
    say(&format!(
        "{} traps, {} days, seed {}: {:.1} s",
        plan.traps,
        plan.days,
        plan.seed,
        took.as_secs_f64()
    ))?;
    let rows = [
        ("captures", season.captures.to_string()),
        ("missed shots", format!("{missed} ({})", reasons.join(", "))),
        (
            "power cuts",
            format!(
                "{} ({} at an await, {} at the card, {} idle), {} kills, {} boots",
                counts.power_cuts(),
                counts.cuts_at_await,
                counts.cuts_at_disk,
                counts.cuts_idle,
                counts.kills,
                counts.boots
            ),
        ),
        (
            "requests",
            format!(
                "{}: {} lost, {} answers lost, {} cut in the body, {} twice, {} 5xx, {} timed out",
                counts.requests,
                counts.lost_requests,
                counts.lost_answers,
                counts.cut_bodies,
                counts.twice,
                counts.unwell,
                counts.timeouts
            ),
        ),
        (
            "server",
            format!(
                "{} restarts, {} requests found it down, {} found no signal",
                counts.server_restarts, counts.server_down, counts.no_signal
            ),
        ),
        (
            "devices",
            format!(
                "camera failed {}, {} torn, {} black; detector failed {}",
                counts.camera_faults,
                counts.torn_pictures,
                counts.black_pictures,
                counts.detector_faults
            ),
        ),
        ("trace", season.digest.to_string()),
    ];
    for (name, value) in rows {
        say(&format!("  {name:<13} {value}"))?;
    }
    show_laws(season)
}

fn show_laws(season: &Season) -> anyhow::Result<()> {
    let places = by_law(season);
    for law in ALL {
        match places.get(&law) {
            None => say(&format!("  ✓ {}", law.sentence()))?,
            Some(places) => {
                say(&format!("  ✗ {} ({} places)", law.sentence(), places.len()))?;
                for place in places.iter().take(SHOWN_MAX) {
                    say(&format!("      {place}"))?;
                }
            }
        }
    }
    Ok(())
}

fn summary(plan: &Plan, season: &Season, is_repeatable: Option<bool>) -> serde_json::Value {
    let laws: Vec<serde_json::Value> = ALL
        .iter()
        .map(|law| {
            let broken = season.broken.iter().filter(|broken| broken.law == *law);
            let places: Vec<String> = broken.map(ToString::to_string).collect();
            json!({ "law": format!("{law:?}"), "kept": places.is_empty(), "broken": places })
        })
        .collect();
    let missed: BTreeMap<String, u64> = season
        .missed
        .iter()
        .map(|(reason, shots)| (format!("{reason:?}").to_lowercase(), *shots))
        .collect();
    json!({
        "traps": plan.traps,
        "days": plan.days,
        "seed": plan.seed,
        "captures": season.captures,
        "missed": missed,
        "counts": season.counts,
        "laws": laws,
        "trace": season.digest,
        "same_twice": is_repeatable,
    })
}

fn minutes(text: &str) -> anyhow::Result<Duration> {
    let number: u64 = text
        .strip_suffix('m')
        .and_then(|digits| digits.parse().ok())
        .context("a time between shots is written as 20m")?;
    anyhow::ensure!((1..=1440).contains(&number), "1m to 1440m are possible");
    Ok(Duration::from_mins(number))
}
