//! The command line, and the only place that prints.

#![expect(clippy::print_stderr, reason = "this is the command line")]

mod checks;

use crate::config::{self, Loaded, Problems, Sources, shown};
use crate::page::password::{PASSWORD_FILE, Password};
use crate::page::smaller;
use crate::service::Service;
use crate::{apart, boot, door, export, hardware, inspector, logging, models, power, status};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use trapline_detect::{LookSettings, Scale};

/// Something failed while running.
const EXIT_RUNTIME: u8 = 1;
/// The settings are wrong; restarting does not help.
const EXIT_CONFIG: u8 = 78;
/// Threads that blocking work may take; an idle one ends soon and gives its memory back.
const THREADS_MAX: usize = 4;
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(2);

/// The agent of an insect trap: takes pictures, finds the insects, keeps
/// everything safe, and hands it to a server.
#[derive(Debug, Parser)]
#[command(name = "trapline-agent", version, max_term_width = 100)]
#[command(after_help = "\
Examples:
  trapline-agent selftest                  check every part of this trap
  trapline-agent depart                    can it be left? a last check, one verdict
  trapline-agent status                    what it did, what waits, what is wrong
  trapline-agent export /media/usb/trap    pictures and tables, checked byte for byte

Settings are in /etc/trapline/agent.toml and, for a trap in the field, in
/boot/firmware/trapline.toml; `trapline-agent config show --origin` explains them.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 leave with care, 78 wrong settings.")]
struct Cli {
    #[command(flatten)]
    layers: Layers,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Layers {
    /// Settings file [default: /etc/trapline/agent.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Settings that override it [default: /boot/firmware/trapline.toml]
    #[arg(long, global = true, value_name = "FILE")]
    overlay: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the trap until stopped
    Run,
    /// Take one picture now, inspect it, send what waits, and end
    Once,
    /// Say what the trap did, what waits and what is wrong
    Status {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
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
    /// Look at the picture on standard input: the process in which the detector runs
    #[command(hide = true)]
    Look(LookArgs),
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
struct LookArgs {
    /// Another model than the one built in
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Only load the model and say what it is
    #[arg(long)]
    describe: bool,
    /// Refuse to look with another model than the one of this SHA-256
    #[arg(long, value_name = "SHA256")]
    expect: Option<String>,
    /// How many bytes before the picture are what was remembered
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    memory_bytes: u64,
    /// Run the network on the whole picture, whatever is remembered
    #[arg(long)]
    whole: bool,
    /// After so many looks that were not whole, one is
    #[arg(long, value_name = "NUMBER", default_value_t = LookSettings::default().whole_every)]
    whole_every: u32,
    /// Look at half the resolution
    #[arg(long)]
    half: bool,
    /// Make each look a whole one
    #[arg(long)]
    ungated: bool,
    /// Take at most so much memory for data
    #[arg(long, value_name = "BYTES")]
    memory_limit: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
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
enum HalCommand {
    /// Find every part on the I²C buses, and the sensors that the kernel serves
    Scan {
        /// As JSON, one object, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum PageCommand {
    /// Print the password of this trap's page
    Password,
}

#[derive(Debug, Subcommand)]
enum PowerCommand {
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

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match act(cli) {
        Ok(code) => code,
        Err(error) => match error.downcast_ref::<Problems>() {
            Some(problems) => {
                eprintln!("The settings are wrong:\n{problems}");
                ExitCode::from(EXIT_CONFIG)
            }
            None => {
                eprintln!("trapline-agent: {error:#}");
                ExitCode::from(EXIT_RUNTIME)
            }
        },
    }
}

fn act(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Look(args) = cli.command {
        return look(&args);
    }
    // What runs in a process of its own is told all that it needs.
    if let Command::UsbShot { settings } = &cli.command {
        apart::usb_shot(settings)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::PagePicture { wish } = &cli.command {
        smaller::serve(wish, std::io::stdin(), std::io::stdout())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::LampGuard { order } = &cli.command {
        apart::lamp_guard(order)?;
        return Ok(ExitCode::SUCCESS);
    }
    // A trap that is being wired has no settings yet.
    if let Command::Hal(HalCommand::Scan { json }) = cli.command {
        return scan(json);
    }
    // By then the settings cannot be read any more.
    if let Command::Power(PowerCommand::Cut { run_dir }) = &cli.command {
        say(&format!("{}\n", power::cut::cut(run_dir)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let sources = Sources::of_process(cli.layers.config, cli.layers.overlay);
    let loaded = config::load(&sources)?;
    match cli.command {
        Command::Run => run(loaded),
        Command::Once => once(loaded),
        Command::Status { json } => status(&loaded, json),
        Command::Config(ConfigCommand::Check) => check(&loaded),
        Command::Config(ConfigCommand::Show { origin }) => show(&loaded, origin),
        Command::Export { dir } => export(&loaded, &dir),
        Command::Selftest { json } => checks::selftest(&loaded, json),
        Command::Depart { json } => checks::depart(&loaded, json),
        Command::Models { json } => models(&loaded, json),
        Command::Page(PageCommand::Password) => page_password(&loaded),
        Command::Power(PowerCommand::Plan { json }) => power_plan(&loaded, json),
        Command::Power(PowerCommand::Cut { .. }) => Ok(ExitCode::SUCCESS),
        Command::Hal(HalCommand::Scan { json }) => scan(json),
        Command::Look(args) => look(&args),
        Command::LampOff => {
            say(&apart::lamp_off(&loaded.config)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::LampGuard { .. } | Command::PagePicture { .. } | Command::UsbShot { .. } => {
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn scan(json: bool) -> anyhow::Result<ExitCode> {
    let hardware = hardware::Hardware::scan();
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&hardware)?))?;
    } else {
        say(&hardware.to_string())?;
    }
    Ok(if hardware.trouble.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}

fn models(loaded: &Loaded, json: bool) -> anyhow::Result<ExitCode> {
    let shelf = models::shelf::Shelf::read(&loaded.config)?;
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&shelf)?))?;
    } else {
        say(&shelf.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page_password(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    let dir = &loaded.config.ledger.dir;
    let password = Password::of_trap(dir)
        .with_context(|| format!("cannot read or write {PASSWORD_FILE} in {}", dir.display()))?;
    say(&format!("{}\n", password.shown()))?;
    if loaded.config.page.listen.is_none() {
        eprintln!("(The page is off: set `page.listen`.)");
    }
    Ok(ExitCode::SUCCESS)
}

fn power_plan(loaded: &Loaded, json: bool) -> anyhow::Result<ExitCode> {
    let report = power::report::PlanReport::read(&loaded.config)?;
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        say(&report.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn look(args: &LookArgs) -> anyhow::Result<ExitCode> {
    let request = inspector::Request {
        manifest: args.manifest.as_deref(),
        describe: args.describe,
        expect: args.expect.as_deref(),
        settings: LookSettings {
            whole: args.whole,
            scale: if args.half { Scale::Half } else { Scale::Full },
            gated: !args.ungated,
            whole_every: args.whole_every,
        },
        memory_bytes: args.memory_bytes,
        memory_limit_bytes: args.memory_limit,
    };
    inspector::serve(request, std::io::stdin(), std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

fn run(loaded: Loaded) -> anyhow::Result<ExitCode> {
    logging::start(loaded.config.log_level);
    let name = loaded.config.trap.name.clone();
    let dir = loaded.config.ledger.dir.clone();
    let outside = Service::new(&dir);
    let agent = boot::assemble(loaded, Box::new(outside))?;
    log::info!(trap = name.as_str(); "trap {name:?} starts");
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let asked = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            log::info!("asked to stop");
        };
        let desk = agent.desk().clone();
        let done = door::beside(&desk, &dir, agent.run(asked)).await;
        done.map_err(anyhow::Error::from)
    });
    // A thread that hangs in a driver must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done.context("the agent had to stop")?;
    log::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn once(loaded: Loaded) -> anyhow::Result<ExitCode> {
    logging::start(loaded.config.log_level);
    let dir = loaded.config.ledger.dir.clone();
    let agent = boot::assemble(loaded, Box::new(crate::agent::Nobody))?;
    let runtime = runtime()?;
    let done = runtime.block_on(agent.once());
    runtime.shutdown_timeout(Duration::from_secs(1));
    done?;
    say(&status::Status::read(&dir, now_ms())?.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS_MAX)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .context("cannot start the runtime")
}

fn status(loaded: &Loaded, json: bool) -> anyhow::Result<ExitCode> {
    let status = status::Status::read(&loaded.config.ledger.dir, now_ms())?;
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&status)?))?;
    } else {
        say(&status.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    if loaded.faults.is_empty() {
        say("The settings are right.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "The overlay is wrong:\n{}\n",
        loaded.faults.join("\n")
    ))?;
    Ok(ExitCode::from(EXIT_CONFIG))
}

fn show(loaded: &Loaded, with_origin: bool) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    for (key, entry) in &loaded.entries {
        let value = shown(key, &entry.value);
        text.push_str(&format!("{key} = {value}"));
        if with_origin {
            text.push_str(&format!("  # {}", entry.origin));
        }
        text.push('\n');
    }
    for fault in &loaded.faults {
        text.push_str(&format!("# {fault}\n"));
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn export(loaded: &Loaded, dir: &std::path::Path) -> anyhow::Result<ExitCode> {
    let ledger_dir = &loaded.config.ledger.dir;
    let mut said = 0;
    let tell = &mut |done: u64, of: u64| {
        let percent = done * 100 / of.max(1);
        if percent >= said + 10 {
            said = percent / 10 * 10;
            eprintln!("{done} of {of} pictures");
        }
    };
    let report = export::export(ledger_dir, dir, tell)?;
    say(&format!("{report}\n"))?;
    let is_whole = report.damaged.is_empty();
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}

/// Prints; a reader that has seen enough, like `head`, is no error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot print"),
        _ => Ok(()),
    }
}

fn now_ms() -> i64 {
    use trapline_hal::Clock as _;
    trapline_hal::pi::clock::SystemClock::new().stamp().unix_ms
}
