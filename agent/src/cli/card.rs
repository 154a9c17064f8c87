//! `card`: the technician's file, checked at a desk and applied on a trap.

use super::print::{report, say};
use super::{EXIT_CONFIG, now_ms};
use crate::card::apply::{Applied, Checked, apply};
use crate::card::hotspot::{Act, Remembered, decide};
use crate::card::system::{OsSystem, look_around, switch_hotspot};
use crate::card::{Places, durable, status_file};
use crate::config::card::{Base, file, handover::RUN_DIR};
use crate::status::Status;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use trapline_hal::Clock as _;
use trapline_hal::pi::clock::SystemClock;

/// Between two writings of the status file.
const WRITE_EVERY_MS: u64 = 3_600_000;
const WRITTEN_FILE: &str = "status-written";
const REMEMBERED_FILE: &str = "hotspot.json";

#[derive(Debug, Subcommand)]
pub(super) enum CardCommand {
    /// Say what is wrong with a trapline.toml, or what a trap would make of it
    Check {
        /// The file, on the card or anywhere else
        file: PathBuf,
        /// A board's own settings
        #[arg(long, value_name = "FILE", default_value = BOARD)]
        board: PathBuf,
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Make the card's settings those of this system: for the service manager at boot
    Apply {
        #[command(flatten)]
        places: PlaceArgs,
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Bring trapline-status.txt up to date, where something changed: for the service manager
    Status {
        #[command(flatten)]
        places: PlaceArgs,
    },
    /// Open or close the trap's own Wi-Fi, as is due now: for the service manager
    Hotspot {
        #[command(flatten)]
        places: PlaceArgs,
    },
}

const BOARD: &str = "/usr/lib/trapline/board.toml";

#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// The card's own partition
    #[arg(long, value_name = "DIR", default_value = "/boot/firmware")]
    card: PathBuf,
    /// Where the system's settings are kept
    #[arg(long, value_name = "DIR", default_value = "/data/etc")]
    data: PathBuf,
    /// Where things are kept until the next boot
    #[arg(long, value_name = "DIR", default_value = RUN_DIR)]
    run: PathBuf,
    /// A board's own settings
    #[arg(long, value_name = "FILE", default_value = BOARD)]
    board: PathBuf,
}

impl PlaceArgs {
    fn places(self) -> Places {
        Places {
            card: self.card,
            data: self.data,
            run: self.run,
            board: self.board,
        }
    }
}

pub(super) fn card(command: CardCommand) -> anyhow::Result<ExitCode> {
    match command {
        CardCommand::Check { file, board, json } => return check(&file, &board, json),
        CardCommand::Apply { places, json } => {
            report(&apply(&places.places(), &OsSystem), json)?;
        }
        CardCommand::Status { places } => status(&places.places())?,
        CardCommand::Hotspot { places } => hotspot(&places.places())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &std::path::Path, board: &std::path::Path, json: bool) -> anyhow::Result<ExitCode> {
    let bytes = file::read_one(file).with_context(|| format!("cannot read {}", file.display()))?;
    let base = Base::new(file::read_if_there(board).as_deref());
    let base = base.map_err(|why| anyhow::anyhow!("the board's own settings are wrong: {why}"))?;
    let checked = Checked::of(&bytes, &base);
    report(&checked, json)?;
    Ok(if checked.is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_CONFIG)
    })
}

fn status(places: &Places) -> anyhow::Result<()> {
    let applied = applied(places)?;
    let now_ms_up = SystemClock::new().stamp().uptime_ms;
    let marker = places.run.join(WRITTEN_FILE);
    let written = std::fs::read_to_string(&marker).ok();
    let written_ms: Option<u64> = written.and_then(|text| text.trim().parse().ok());
    if written_ms.is_some_and(|at_ms| now_ms_up.saturating_sub(at_ms) < WRITE_EVERY_MS) {
        return Ok(());
    }
    let status = Status::read(&applied.ledger_dir, now_ms())?;
    if status_file::write_all(&places.card, &OsSystem, &applied, &status)? {
        durable::for_this_boot(&marker, now_ms_up.to_string().as_bytes(), 0o644)?;
        say("trapline-status.txt was written.\n")?;
    }
    Ok(())
}

fn hotspot(places: &Places) -> anyhow::Result<()> {
    let applied = applied(places)?;
    let file = places.run.join(REMEMBERED_FILE);
    let kept = std::fs::read(&file).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut kept: Remembered = kept.unwrap_or_default();
    let seen = look_around(SystemClock::new().stamp().uptime_ms)?;
    let act = decide(applied.hotspot, applied.has_networks, &seen, &mut kept);
    durable::for_this_boot(&file, &serde_json::to_vec(&kept)?, 0o644)?;
    match act {
        Act::Rest => Ok(()),
        Act::Open => {
            switch_hotspot(true)?;
            say("The trap's own Wi-Fi is open.\n")
        }
        Act::Close => {
            switch_hotspot(false)?;
            say("The trap's own Wi-Fi is closed.\n")
        }
    }
}

fn applied(places: &Places) -> anyhow::Result<Applied> {
    Applied::read(&places.run)
        .context("no card was applied since the start; run `trapline-agent card apply` first")
}
