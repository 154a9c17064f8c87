//! `trapline-sim sequence` and `trapline-sim measure`.

use super::{say, size};
use std::path::PathBuf;
use std::process::ExitCode;
use trapline_detect::LookSettings;
use trapline_sim::plate::Size;
use trapline_sim::sequence::measure::{Arrivals, Report, measure};
use trapline_sim::sequence::{self, SequencePlan, Story};

#[derive(Debug, clap::Args)]
pub(super) struct SequenceArgs {
    /// The folder to write to; made if absent.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many frames.
    #[arg(long, default_value_t = 120)]
    frames: u32,
    /// The same seed gives the same sequence.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Width and height in pixels of drawn frames.
    #[arg(long, default_value = "1536x2048", value_parser = size)]
    size: Size,
    /// Minutes between two frames.
    #[arg(long, default_value_t = 20)]
    every_minutes: u32,
    /// What happens, separated by commas; everything if absent.
    #[arg(long, value_delimiter = ',', value_parser = story)]
    stories: Vec<Story>,
    /// Photographs with drawn boxes (COCO): real insects on real cards instead of drawn ones.
    #[arg(long, value_name = "COCO.json")]
    from: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct MeasureArgs {
    /// A folder with a sequence.
    dir: PathBuf,
    /// Print everything that was measured as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn render(args: SequenceArgs) -> anyhow::Result<ExitCode> {
    let all = args.stories.is_empty();
    let plan = SequencePlan {
        frames: args.frames,
        seed: args.seed,
        size: args.size,
        every_minutes: args.every_minutes,
        stories: if all {
            Story::ALL.to_vec()
        } else {
            args.stories
        },
        from: args.from,
    };
    let written = sequence::write(&args.out, &plan)?;
    let came = written
        .insects
        .iter()
        .filter(|insect| !insect.is_present)
        .count();
    say(&format!(
        "{} frames in {}: {} insects, of which {came} arrive",
        written.frames.len(),
        args.out.display(),
        written.insects.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn judge(args: &MeasureArgs) -> anyhow::Result<ExitCode> {
    let report = measure(&args.dir, &LookSettings::default(), &mut |_, _| ())?;
    if args.json {
        say(&serde_json::to_string(&report)?)?;
    } else {
        for line in lines(&report) {
            say(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(report: &Report) -> Vec<String> {
    let Report {
        work, whole, gated, ..
    } = report;
    let because: Vec<String> = work
        .whole_because
        .iter()
        .map(|(why, times)| format!("{times} {why}"))
        .collect();
    let loss = (whole.recall() - gated.recall()) * 100.0;
    let mut lines = vec![
        format!(
            "{}, {} frames, {} insects, model {}",
            report.kind, report.frames, report.insects, report.model
        ),
        format!(
            "  gated work {:.3} of whole (windows {} for {} tiles), time {:.0} ms for {:.0} ms: {:.3}",
            work.share,
            work.tiles_run,
            work.tiles,
            work.took_gated_ms,
            work.took_whole_ms,
            work.took_gated_ms / work.took_whole_ms.max(1e-9)
        ),
        format!("  whole looks among the gated: {}", because.join(", ")),
        format!(
            "  recall whole {:.3}, gated {:.3}: {loss:.2} points lost; wrong boxes {} and {}; best F1 whole {:.3}",
            whole.recall(),
            gated.recall(),
            whole.wrong,
            gated.wrong,
            report.f1_whole
        ),
    ];
    for (name, arrivals) in [
        ("gated", &report.arrivals_gated),
        ("whole", &report.arrivals_whole),
    ] {
        lines.extend(arrival_lines(name, arrivals));
    }
    lines
}

fn arrival_lines(name: &str, arrivals: &Arrivals) -> Vec<String> {
    let mut lines = vec![format!(
        "  arrivals from {name} looks   came  seen  counted  low  high   error of seen, of all"
    )];
    let named = arrivals.intervals.iter().map(|one| {
        (
            format!("hours {:>2} to {:>2}", one.from_hour, one.until_hour),
            one,
        )
    });
    let sums = [
        ("first day".to_owned(), &arrivals.day),
        ("all".to_owned(), &arrivals.total),
    ];
    for (span, one) in named.chain(sums) {
        lines.push(format!(
            "    {span:<24} {:>6} {:>5} {:>8} {:>4} {:>5} {:>+8.1} % {:>+7.1} %",
            one.truth,
            one.truth_seen,
            one.counted,
            one.low,
            one.high,
            one.error_percent(),
            one.error_of_all_percent()
        ));
    }
    let doubles: Vec<String> = arrivals
        .doubles
        .iter()
        .map(|double| {
            format!(
                "insect {} at frame {} (after {})",
                double.insect, double.frame, double.after
            )
        })
        .collect();
    lines.push(format!(
        "    counted twice {}: {}; no insect {}; seen but not counted {}",
        doubles.len(),
        if doubles.is_empty() {
            "none".to_owned()
        } else {
            doubles.join(", ")
        },
        arrivals.false_arrivals,
        arrivals.missed
    ));
    lines
}

fn story(text: &str) -> anyhow::Result<Story> {
    let quoted = serde_json::Value::String(text.to_owned());
    serde_json::from_value(quoted).map_err(|_| {
        anyhow::anyhow!("`{text}` is no story; there are drift, light, bump, new-card, gap, lamp-failure, wash, walk")
    })
}
