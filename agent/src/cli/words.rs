//! The words that the command line knows.

mod update;

use super::card::CardCommand;
use crate::apart;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use trapline_detect::LookSettings;

pub(super) use update::{TrialArgs, UpdateCommand, UpdatePlace};

/// The agent of an insect trap: takes pictures, finds the insects, keeps
/// everything safe, and hands it to a server.
#[derive(Debug, Parser)]
#[command(name = "trapline-agent", version, max_term_width = 100)]
#[command(after_help = "\
Examples:
  trapline-agent selftest                  check every part of this trap
  trapline-agent depart                    can it be left? a last check, one verdict
  trapline-agent status                    what it did, what waits, what is wrong
  trapline-agent schedule next 5           the next five pictures, local time and UTC
  trapline-agent export /media/usb/trap    pictures and tables, checked byte for byte

Settings are in /etc/trapline/agent.toml; `trapline-agent config show --origin` explains
them. A trap made from the image makes that file of the card's trapline.toml at each start.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 leave with care, 78 wrong settings.")]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) layers: Layers,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Layers {
    /// Settings file [default: /etc/trapline/agent.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Settings that override it [default: /boot/firmware/trapline-agent.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) overlay: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the trap until stopped
    Run {
        /// With the settings of `--config` alone and without the detector: when nothing else helps
        #[arg(long, hide = true, requires = "config")]
        pictures_alone: bool,
    },
    /// Take one picture now, inspect it, send what waits, and end
    Once,
    /// Say what the trap did, what waits and what is wrong
    Status {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Say how the trap stands with its server, and ask it now
    Enrol(EnrolArgs),
    /// Say when pictures are taken
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The technician's file on the card, trapline.toml
    #[command(subcommand)]
    Card(CardCommand),
    /// Copy pictures and tables into a folder, each picture checked against its hash
    Export {
        /// The folder; an export that was cut off goes on where it stopped
        dir: PathBuf,
    },
    /// Check every part by itself, with a remedy for each fault
    Selftest {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check whether the trap can be left, with one verdict
    Depart {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Look at what is wired to the trap
    #[command(subcommand)]
    Hal(HalCommand),
    /// Say how the trap lives from its battery
    #[command(subcommand)]
    Power(PowerCommand),
    /// The technician's page
    #[command(subcommand)]
    Page(PageCommand),
    /// List the models that the trap carries, and what became of offered ones
    Models {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Prove this program on this trap: its devices, and a copy of its ledger that is thrown away
    Trial(TrialArgs),
    /// Updates of the whole system
    #[command(subcommand)]
    Update(UpdateCommand),
    /// Look at the picture on standard input: the process in which the detector runs
    #[command(hide = true)]
    Look(LookArgs),
    /// Set the system's clock, for the service that may do nothing else
    #[command(hide = true)]
    SetClock {
        /// Milliseconds since 1970, and since the boot when that was so
        wish: String,
    },
    /// Put out every lamp that the settings name, for the service manager to run after the service
    #[command(hide = true)]
    LampOff,
    /// Guard a lamp: the process that puts it out whatever happens to the agent
    #[command(hide = true, name = apart::LAMP_GUARD)]
    LampGuard {
        /// Line, kind and maximum on-time
        #[arg(allow_hyphen_values = true)]
        order: Vec<String>,
    },
    /// Make a picture of standard input smaller: the process for a technician's phone
    #[command(hide = true, name = apart::PAGE_PICTURE)]
    PagePicture {
        /// What is wanted, as JSON
        wish: String,
    },
    /// Take a picture of a camera at USB: the process in which its driver runs
    #[command(hide = true, name = apart::USB_SHOT)]
    UsbShot {
        /// What is wanted, as JSON
        settings: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// Make this card a trap of its own: a new identity, which a token or a person lets in
    #[arg(long, conflicts_with = "same")]
    pub(super) anew: bool,
    /// This card is a copy and goes on as the trap, because the other card is gone
    #[arg(long)]
    pub(super) same: bool,
    /// As JSON, one object, for programs
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Another model than the one built in
    #[arg(long, value_name = "FILE")]
    pub(super) manifest: Option<PathBuf>,
    /// Only load the model and say what it is
    #[arg(long)]
    pub(super) describe: bool,
    /// Refuse to look with another model than the one of this SHA-256
    #[arg(long, value_name = "SHA256")]
    pub(super) expect: Option<String>,
    /// How many bytes before the picture are what was remembered
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) memory_bytes: u64,
    /// Run the network on the whole picture, whatever is remembered
    #[arg(long)]
    pub(super) whole: bool,
    /// After so many looks that were not whole, one is
    #[arg(long, value_name = "NUMBER", default_value_t = LookSettings::default().whole_every)]
    pub(super) whole_every: u32,
    /// Look at half the resolution
    #[arg(long)]
    pub(super) half: bool,
    /// Make each look a whole one
    #[arg(long)]
    pub(super) ungated: bool,
    /// Take at most so much memory for data
    #[arg(long, value_name = "BYTES")]
    pub(super) memory_limit: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Find everything that is wrong with the settings
    Check,
    /// Print every setting that holds
    Show {
        /// And where each comes from
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// List the next pictures in local time and UTC, and say what the sun does to them
    Next {
        /// How many
        #[arg(default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// From then on instead of now: local time, as 2026-12-21 or 2026-12-21T18:00
        #[arg(long, value_name = "TIME")]
        after: Option<String>,
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum HalCommand {
    /// Find every part on the I²C buses, and the sensors that the kernel serves
    Scan {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum PageCommand {
    /// Print the password of this trap's page
    Password,
}

#[derive(Debug, Subcommand)]
pub(super) enum PowerCommand {
    /// Say when the trap sleeps and wakes, how long the battery lasts, and why
    Plan {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Cut the power if the trap lay down: the last thing of a shutdown, for the service manager
    #[command(hide = true)]
    Cut {
        /// Where the agent leaves the order
        #[arg(long, value_name = "DIR", default_value = "/run/trapline")]
        run_dir: PathBuf,
    },
}
