//! The words of `cargo xtask`.

use crate::cross::{Care, Part, Target};
use crate::deb::Arch;
use crate::{
    bench, boot_test, budgets, crash, cross, deb, demo, image, model, rig, setup, test, tidy,
};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    about = "Builds, checks, measures and demonstrates Trapline"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the whole system at work: server, web app and traps, ready to look at.
    Demo(DemoArgs),
    /// Installs what building takes, for this machine and for a Pi, and says what and why.
    Setup,
    /// Formatting, clippy, tidy, all tests, the web app's checks and the browser tests.
    Test(TestArgs),
    /// The rules of the house that no compiler knows.
    Tidy {
        /// Record the present wire types and new schema files as shipped.
        #[arg(long)]
        bless: bool,
    },
    /// Kills the real binaries at random moments and audits every picture by its hash.
    Crash(CrashArgs),
    /// Measures memory, start-up, bytes written and binary sizes; prints a table.
    Budgets,
    /// Holds the trap's own work against other people's programs and against the truth.
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Teaches a detector from photographs with drawn boxes, and packs it for the trap.
    Train(model::TrainArgs),
    /// Holds the detector, as the trap runs it, against drawn boxes; prints the figures.
    Eval(model::EvalArgs),
    /// An emulated trap: the real agent on an arm64 kernel, with chips, lines, a camera and a link that can fail.
    Rig {
        #[command(subcommand)]
        what: Rig,
    },
    /// Builds agent and server for a Pi, and says which systems the result runs on.
    Cross(CrossArgs),
    /// Makes Debian packages of agent and server.
    Deb(DebArgs),
    /// A card for a trap: Debian, the agent, and two slots for updates, in one file; or looks at one in the emulator.
    #[command(args_conflicts_with_subcommands = true)]
    Image {
        #[command(subcommand)]
        what: Option<Image>,
        #[command(flatten)]
        make: ImageArgs,
    },
    /// A signed update for traps that holds one root slot.
    Bundle(BundleArgs),
    /// Boots the image in an emulator with devices around it, and breaks it as cards are broken.
    BootTest(BootTestArgs),
    /// Builds the web app into sync-server/web/dist.
    Web,
}

#[derive(Subcommand)]
enum Image {
    /// Opens an image for `virt` in the emulator, with a root shell on its console.
    Boot(ImageBootArgs),
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Board {
    /// The emulator's own machine.
    Virt,
    Pi3,
    Pi4,
    Pi5,
    Zero2w,
}

impl Board {
    /// Its folder in image/boards.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Virt => "virt",
            Self::Pi3 => "pi3",
            Self::Pi4 => "pi4",
            Self::Pi5 => "pi5",
            Self::Zero2w => "zero2w",
        }
    }

    /// What Raspberry Pi Imager calls the machines that it may be written for.
    pub(crate) fn imager_devices(self) -> &'static [&'static str] {
        match self {
            Self::Virt => &[],
            // Imager has no word of its own for the Zero 2 W.
            Self::Pi3 | Self::Zero2w => &["pi3-64bit"],
            Self::Pi4 => &["pi4-64bit"],
            Self::Pi5 => &["pi5-64bit"],
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct ImageArgs {
    /// The machine that it is for.
    #[arg(long, value_enum, default_value = "virt")]
    pub(crate) board: Board,
    /// Settings that are put on the card; without it, the commented ones that every card carries.
    #[arg(long, value_name = "trapline.toml")]
    pub(crate) config: Option<PathBuf>,
    /// Certificate of who signs updates; without it, the trap takes none.
    #[arg(long, value_name = "cert.pem")]
    pub(crate) update_cert: Option<PathBuf>,
    /// Where image and papers go.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Take exactly the versions of image/packages.lock, or nothing.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Take the newest versions and write them into image/packages.lock.
    #[arg(long, conflicts_with = "locked")]
    pub(crate) relock: bool,
    /// The agent's package; without it, it is built.
    #[arg(long, value_name = "FILE.deb")]
    pub(crate) agent: Option<PathBuf>,
}

impl ImageArgs {
    /// An image for that board with nothing said about it.
    pub(crate) fn of(board: Board) -> Self {
        Self {
            board,
            config: None,
            update_cert: None,
            out: None,
            locked: false,
            relock: false,
            agent: None,
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct ImageBootArgs {
    /// An image as a file that is not compressed; without it, the last one made for `virt`.
    pub(crate) image: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct BundleArgs {
    /// The slot, as `cargo xtask image` leaves it: slot.img.
    #[arg(long, value_name = "FILE")]
    pub(crate) slot_image: PathBuf,
    /// Certificate of who signs.
    #[arg(long, value_name = "cert.pem")]
    pub(crate) cert: PathBuf,
    /// Key of who signs.
    #[arg(long, value_name = "key.pem")]
    pub(crate) key: PathBuf,
    /// What the update calls itself; without it, the version of the source.
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// The bundle.
    #[arg(long, value_name = "FILE.raucb")]
    pub(crate) out: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct BootTestArgs {
    /// The folder of an image for `virt`; without it, the one that was made last, or one is made.
    #[arg(long, value_name = "DIR")]
    pub(crate) image: Option<PathBuf>,
    /// Only these parts; may be given several times. Without it: first, card and pi.
    #[arg(long, value_enum, value_name = "PART")]
    pub(crate) only: Vec<BootTestPart>,
    /// Also cut the power so often, and try updates.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) power_cuts: u32,
    /// Where the moments of the cuts come from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What a card is put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BootTestPart {
    /// A fresh card: settings, enrolment, captures, the table of times.
    First,
    /// Three kinds of broken settings.
    Card,
    /// Power cuts at random moments, and an audit of every picture.
    Cuts,
    /// Updates: somebody else's, cut short, a good one, and one that is no good.
    Update,
    /// The image for a Pi 3 on the emulator's model of that board.
    Pi,
}

#[derive(Subcommand)]
enum Bench {
    /// Milliseconds per tile beside other inference engines, and instructions on emulated Pis.
    Detect(BenchDetectArgs),
    /// What it costs to write down one record so that it survives a power cut, beside Python's sqlite3.
    Put(BenchPutArgs),
    /// Work saved and insects lost by looking at changes alone, and arrivals counted, on sequences with known truth.
    Sequence(BenchSequenceArgs),
    /// Seconds and bytes over a slow link that is cut again and again, beside rsync and a tus client.
    Link(BenchLinkArgs),
}

#[derive(Subcommand)]
enum Rig {
    /// Plays scenarios and says what did not happen as it should.
    Run(RigRunArgs),
    /// A console in the guest, with the same devices, to try things by hand.
    Shell,
    /// The scenarios and what each is about.
    List,
    /// A capture's time against the camera's own, with sensors and display.
    Measure(RigMeasureArgs),
}

#[derive(clap::Args)]
pub(crate) struct RigRunArgs {
    /// Only this one, by its name or as a file; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Print one JSON object per scenario instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct RigMeasureArgs {
    /// How many captures are measured.
    #[arg(long, default_value_t = 20)]
    pub(crate) captures: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct BenchDetectArgs {
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Fewer rounds, and nothing emulated.
    #[arg(long)]
    pub(crate) quick: bool,
    /// An int8 ONNX model of the trap's form; without it, the shipped one.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct BenchPutArgs {
    /// Records that each side puts.
    #[arg(long, default_value_t = 4000)]
    pub(crate) records: u32,
    /// Bytes of a record.
    #[arg(long, default_value_t = 476)]
    pub(crate) bytes: u32,
    /// Where the databases lie, which decides what a sync costs; without it, the target folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct BenchSequenceArgs {
    /// Frames of each sequence, 20 minutes apart.
    #[arg(long, default_value_t = 120)]
    pub(crate) frames: u32,
    /// The same seed gives the same sequences.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Photographs with drawn boxes to take cards and insects from.
    #[arg(long, value_name = "COCO.json")]
    pub(crate) from: Option<PathBuf>,
    /// Measure a sequence that is there already.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON object per sequence instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct BenchLinkArgs {
    /// Only these columns; may be given several times.
    #[arg(long, value_enum, value_name = "COLUMN")]
    pub(crate) only: Vec<LinkColumn>,
    /// A fifth of the files and records.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Use the debug build.
    #[arg(long)]
    pub(crate) debug: bool,
    /// What meets who calls while the link is down.
    #[arg(long, value_enum, default_value_t = WhileDown::Refused)]
    pub(crate) while_down: WhileDown,
    /// Install rsync and tus-js-client if they are not here, to be measured beside ours.
    #[arg(long, conflicts_with = "alone")]
    pub(crate) install_peers: bool,
    /// Measure ours alone.
    #[arg(long)]
    pub(crate) alone: bool,
    /// Take the programs from this folder instead of building them.
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object per run instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What goes over which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LinkColumn {
    /// 40 files of 2 MB at 1 MB/s, 30 s up and 5 s down, 30 ms one way.
    A,
    /// 10 files of 2 MB at 150 kB/s, 8 s up and 4 s down, 60 ms one way: a file needs longer than a window.
    B,
    /// 500 records of 4 kB at 150 kB/s, 20 s up and 5 s down, 60 ms one way.
    C,
}

/// What a link that is down does with who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WhileDown {
    /// Nobody listens.
    Refused,
    /// The call is taken and reset at once.
    Reset,
    /// The call is taken and nothing comes back; it is reset when the link returns.
    Silent,
}

#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// Photographs (.jpg) that a real trap replays; without it, simulated traps.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    /// Stop after this time and say whether all captures arrived.
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) for_s: Option<u64>,
    /// Where the server listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
}

#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Leave out the steps that need a browser or foreign upload clients.
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(clap::Args)]
pub(crate) struct CrashArgs {
    /// How often the agent is killed.
    #[arg(long, default_value_t = 20)]
    pub(crate) agent_kills: u32,
    /// How often the server is killed.
    #[arg(long, default_value_t = 5)]
    pub(crate) server_kills: u32,
    /// After this time no more kills are made; the audit follows, and the run has failed.
    #[arg(long, default_value_t = 25)]
    pub(crate) minutes: u32,
    /// Where the moments of the kills come from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Use the release build.
    #[arg(long)]
    pub(crate) release: bool,
}

#[derive(clap::Args)]
pub(crate) struct CrossArgs {
    /// The processor.
    #[arg(long, value_enum, default_value_t = Target::Aarch64)]
    pub(crate) target: Target,
    /// How much care the compiler takes.
    #[arg(long, value_enum, default_value_t = Care::Release)]
    pub(crate) profile: Care,
    /// Only this program.
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub(crate) only: Vec<Part>,
    /// Build in the containers of `cross`, which needs Docker or Podman.
    #[arg(long)]
    pub(crate) in_container: bool,
}

#[derive(clap::Args)]
pub(crate) struct DebArgs {
    /// The processor, as Debian calls it.
    #[arg(long, value_enum, default_value_t = Arch::Arm64)]
    pub(crate) arch: Arch,
    /// Only the package of this program.
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub(crate) only: Vec<Part>,
    /// How much care the compiler takes.
    #[arg(long, value_enum, default_value_t = Care::Release)]
    pub(crate) profile: Care,
    /// Take the programs from this folder instead of building them.
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
    /// Where the packages go [default: `deb` in the target folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Install, upgrade, remove and purge them in a copy of this system that is thrown away; takes root.
    #[arg(long = "try")]
    pub(crate) trial: bool,
    /// Leave out Debian's judge of packages.
    #[arg(long)]
    pub(crate) no_lint: bool,
}

pub(crate) fn run() -> Result<()> {
    match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Setup => setup::run(),
        Command::Test(args) => test::run(&args),
        Command::Tidy { bless } => tidy::run(bless),
        Command::Crash(args) => crash::run(&args),
        Command::Budgets => budgets::run(),
        Command::Bench { what } => match what {
            Bench::Detect(args) => bench::detect::run(&args),
            Bench::Put(args) => bench::put::run(&args),
            Bench::Sequence(args) => bench::sequence::run(&args),
            Bench::Link(args) => bench::link::run(&args),
        },
        Command::Train(args) => model::train(&args),
        Command::Eval(args) => model::eval(&args),
        Command::Rig { what } => match what {
            Rig::Run(args) => rig::run(&args),
            Rig::Shell => rig::shell(),
            Rig::List => rig::list(),
            Rig::Measure(args) => rig::measure(&args),
        },
        Command::Cross(args) => cross::run(&args),
        Command::Deb(args) => deb::run(&args),
        Command::Image { what, make } => match what {
            None => image::run(&make),
            Some(Image::Boot(args)) => image::boot(&args),
        },
        Command::Bundle(args) => image::bundle::run(&args),
        Command::BootTest(args) => boot_test::run(&args),
        Command::Web => crate::build::web(),
    }
}
