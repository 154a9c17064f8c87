//! The command line of `trapline-sim`; the only place that prints.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
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
    /// Render pictures of a sticky card through a day, with readings and the true boxes.
    Plates {
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
    },
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Plates {
                dir,
                count,
                size,
                seed,
                every_minutes,
            } => {
                let plan = FolderPlan {
                    count,
                    size,
                    seed,
                    every_minutes,
                };
                let insects = folder::write(&dir, &plan)?;
                writeln!(
                    std::io::stdout(),
                    "{count} pictures in {}, {insects} insects on the last",
                    dir.display()
                )?;
                Ok(())
            }
        }
    }
}

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
