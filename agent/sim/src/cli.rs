//! The command line of `trapline-sim`; it and what is below it print.

mod live;
mod season;
mod seed;
mod sequence;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use trapline_sim::plate::Size;
use trapline_sim::plate::folder::{self, FolderPlan};

/// Traps, weather and bad luck in virtual time.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run traps and their server through days of power cuts and a bad link, and judge the laws.
    Season(season::SeasonArgs),
    /// Feed a running server: two past weeks of simulated traps, then a picture every few seconds.
    Live(live::LiveArgs),
    /// Fill a trap's card with captures of random bytes, for measuring a link.
    Seed(seed::SeedArgs),
    /// Render pictures of a sticky card through a day, with readings and the true boxes.
    Plates(PlatesArgs),
    /// Render a day and a half before one camera, with the truth of every insect.
    Sequence(sequence::SequenceArgs),
    /// Hold the detector and its counting of arrivals against a rendered sequence.
    Measure(sequence::MeasureArgs),
}

#[derive(Debug, clap::Args)]
struct PlatesArgs {
    /// The folder to write to; made if absent.
    dir: PathBuf,
    /// How many pictures.
    #[arg(long, default_value_t = 24)]
    count: u32,
    /// Width and height in pixels.
    #[arg(long, default_value = "1536x2048", value_parser = size)]
    size: Size,
    /// The same seed renders the same pictures.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Minutes of the simulated day between two pictures.
    #[arg(long, default_value_t = 60)]
    every_minutes: u32,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Season(args) => season::run(&args),
            Command::Live(args) => live::run(&args),
            Command::Seed(args) => seed::run(&args),
            Command::Plates(args) => plates(&args),
            Command::Sequence(args) => sequence::render(args),
            Command::Measure(args) => sequence::judge(&args),
        }
    }
}

fn plates(args: &PlatesArgs) -> anyhow::Result<ExitCode> {
    let plan = FolderPlan {
        count: args.count,
        size: args.size,
        seed: args.seed,
        every_minutes: args.every_minutes,
    };
    let insects = folder::write(&args.dir, &plan)?;
    say(&format!(
        "{} pictures in {}, {insects} insects on the last",
        args.count,
        args.dir.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a line.
pub(crate) fn say(line: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}

/// Reads a size such as 1536x2048.
fn size(text: &str) -> anyhow::Result<Size> {
    let (width, height) = text
        .split_once('x')
        .context("a size is written as 1536x2048")?;
    let side = |part: &str| -> anyhow::Result<u16> {
        let pixels: u16 = part.parse().context("a side is a number of pixels")?;
        anyhow::ensure!((16..=8192).contains(&pixels), "a side is 16 to 8192 pixels");
        Ok(pixels)
    };
    Ok(Size {
        width_px: side(width)?,
        height_px: side(height)?,
    })
}
