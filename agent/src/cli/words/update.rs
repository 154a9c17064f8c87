//! The words of `trial` and `update`.

use crate::config::parse_duration;
use crate::update::{RUN_DIR, UPDATE_DIR};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct TrialArgs {
    /// How long it may take to come to a picture
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(in crate::cli) within: Duration,
    /// As JSON, one object, for programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Only if this start asks for a trial
    #[arg(long, hide = true)]
    pub(in crate::cli) when_wanted: bool,
    /// Where the report is left
    #[arg(long, hide = true, value_name = "DIR")]
    pub(in crate::cli) dir: Option<PathBuf>,
    /// Word of this boot
    #[arg(long, hide = true, value_name = "DIR", default_value = RUN_DIR)]
    pub(in crate::cli) run_dir: PathBuf,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write it like \"10m\" or \"90s\"".to_owned())
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum UpdateCommand {
    /// Say what is known of updates on this card
    Status {
        #[command(flatten)]
        of: UpdatePlace,
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Prove the signature of a bundle without installing it
    Check {
        #[command(flatten)]
        of: UpdatePlace,
        /// The bundle
        file: PathBuf,
    },
    /// Install a bundle now, also one that was refused before; as root
    Install {
        #[command(flatten)]
        of: UpdatePlace,
        /// The bundle
        file: PathBuf,
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Install the bundle that waits, then start the trap anew at a good moment
    #[command(hide = true)]
    Take(UpdatePlace),
    /// Install what a stick brings
    #[command(hide = true)]
    Stick {
        #[command(flatten)]
        of: UpdatePlace,
        /// Where the stick is mounted
        folder: PathBuf,
    },
    /// Decide whether the running slot is good or has to prove itself: once at each start, as root
    #[command(hide = true)]
    Settle(UpdatePlace),
    /// The trial of this start passed
    #[command(hide = true)]
    Confirm(UpdatePlace),
    /// The trial's service ended
    #[command(hide = true)]
    TrialEnded {
        #[command(flatten)]
        of: UpdatePlace,
        /// The service manager's word for how
        result: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UpdatePlace {
    /// The folder of updates
    #[arg(long, value_name = "DIR", default_value = UPDATE_DIR)]
    pub(in crate::cli) dir: PathBuf,
    /// Word of this boot
    #[arg(long, value_name = "DIR", default_value = RUN_DIR)]
    pub(in crate::cli) run_dir: PathBuf,
    /// The slot that runs, instead of the one that the boot loader named
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) slot: Option<String>,
    /// RAUC's program
    #[arg(long, value_name = "FILE", default_value = "rauc")]
    pub(in crate::cli) rauc: PathBuf,
}
