//! The command line, and the only place that prints.

#![expect(clippy::print_stderr, reason = "this is the command line")]

mod card;
mod checks;
mod enrol;
mod print;
mod run;
mod schedule;
mod settings;
mod update;
mod words;

use crate::config::{self, Loaded, Problems, Sources, worked};
use crate::page::password::{PASSWORD_FILE, Password};
use crate::page::smaller;
use crate::{apart, export, hardware, inspector, models, power, status};
use anyhow::Context as _;
use clap::Parser as _;
use print::say;
use std::process::ExitCode;
use trapline_detect::{LookSettings, Scale};
use words::{
    Cli, Command, ConfigCommand, HalCommand, LookArgs, PageCommand, PowerCommand, ScheduleCommand,
};

/// Something failed while running.
const EXIT_RUNTIME: u8 = 1;
/// The settings are wrong; restarting does not help.
const EXIT_CONFIG: u8 = 78;
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
    // Not before it is known that they are needed: a trap that is being wired has no settings
    // yet, and at the end of a shutdown they cannot be read any more.
    let file = cli.layers.config.clone();
    let load = || config::load(&Sources::of_process(cli.layers.config, cli.layers.overlay));
    match cli.command {
        Command::Run {
            pictures_alone: true,
        } => return run::run(worked::load(&file.unwrap_or_default())?),
        Command::Run { .. } => return run::run(load()?),
        Command::Once => return run::once(load()?),
        Command::Status { json } => {
            let status = status::Status::read(&load()?.config.ledger.dir, now_ms())?;
            print::report(&status, json)?;
        }
        Command::Enrol(args) => return enrol::enrol(load()?, &args),
        Command::Schedule(ScheduleCommand::Next { count, after, json }) => {
            schedule::next(&load()?.config, (count, after.as_deref()), json)?;
        }
        Command::Config(ConfigCommand::Check) => return settings::check(&load()?),
        Command::Config(ConfigCommand::Show { origin }) => settings::show(&load()?, origin)?,
        Command::Card(command) => return card::card(command),
        Command::Export { dir } => return export(&load()?, &dir),
        Command::Selftest { json } => return checks::selftest(&load()?, json),
        Command::Depart { json } => return checks::depart(&load()?, json),
        Command::Models { json } => {
            print::report(&models::shelf::Shelf::read(&load()?.config)?, json)?;
        }
        Command::Trial(args) => {
            if !update::is_trial_wanted(&args) {
                return Ok(ExitCode::SUCCESS);
            }
            return update::trial(load()?, &args);
        }
        Command::Update(command) => return update::update(command, load),
        Command::Page(PageCommand::Password) => page_password(&load()?)?,
        Command::Power(PowerCommand::Plan { json }) => {
            print::report(&power::report::PlanReport::read(&load()?.config)?, json)?;
        }
        Command::Power(PowerCommand::Cut { run_dir }) => {
            say(&format!("{}\n", power::cut::cut(&run_dir)?))?;
        }
        Command::Hal(HalCommand::Scan { json }) => return scan(json),
        Command::Look(args) => look(&args)?,
        Command::SetClock { wish } => trapline_hal::pi::clock::set_by_wish(&wish)?,
        Command::LampOff => say(&apart::lamp_off(&load()?.config)?)?,
        Command::LampGuard { order } => apart::lamp_guard(&order)?,
        Command::PagePicture { wish } => {
            smaller::serve(&wish, std::io::stdin(), std::io::stdout())?;
        }
        Command::UsbShot { settings } => apart::usb_shot(&settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn scan(json: bool) -> anyhow::Result<ExitCode> {
    let hardware = hardware::Hardware::scan();
    print::report(&hardware, json)?;
    Ok(if hardware.trouble.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}

fn page_password(loaded: &Loaded) -> anyhow::Result<()> {
    let dir = &loaded.config.ledger.dir;
    let password = Password::of_trap(dir)
        .with_context(|| format!("cannot read or write {PASSWORD_FILE} in {}", dir.display()))?;
    say(&format!("{}\n", password.shown()))?;
    if loaded.config.page.listen.is_none() {
        eprintln!("(The page is off: set `page.listen`.)");
    }
    Ok(())
}

fn look(args: &LookArgs) -> anyhow::Result<()> {
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
    Ok(())
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

fn now_ms() -> i64 {
    use trapline_hal::Clock as _;
    trapline_hal::pi::clock::SystemClock::new().stamp().unix_ms
}
