//! The command line: what it takes, and everything that it prints.

mod enrol;
mod models;
mod updates;

use crate::auth::password::{self, PASSWORD_CHARS_MIN};
use crate::config::{BadConfig, File};
use crate::db::{Counts, Db, TrapListed};
use crate::state::{system_clock, system_random};
use crate::{logging, serve};
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Parser, Subcommand};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use trapline_wire::TrapKey;

/// Receives pictures and records from Trapline traps and shows them to researchers.
///
/// Everything is kept in one folder, DATA: the database `trapline.db` and the
/// pictures. The commands for traps and users also work while the server runs.
#[derive(Parser)]
#[command(
    name = "trapline-server",
    version,
    after_help = "\
First steps:
  trapline-server enrol --uses 20 --data /srv/trapline      prints a token for 20 cards
  trapline-server trap add meadow-1 --data /srv/trapline    or a key for one trap
  trapline-server user add ada --data /srv/trapline         asks for a password
  trapline-server serve --data /srv/trapline --listen 0.0.0.0:8080

Exit codes: 0 done, 1 failed, 2 wrong use, 78 wrong settings."
)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Place {
    /// Folder of the database and the pictures; made if it is not there
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// TOML file with `data`, `listen`, `https`, `behind_proxy`, `free_mib_min`; flags win
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGTERM or Ctrl-C
    ///
    /// The first line on stdout is `listening on http://ADDRESS`.
    Serve {
        /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Log more
        #[arg(long)]
        verbose: bool,
    },
    /// Count what is stored
    Status {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Traps and their keys
    #[command(subcommand)]
    Trap(TrapCommand),
    /// Make a token that lets traps in by themselves, or decide about traps that ask
    ///
    /// Without a subcommand it makes a token and prints it, this once.
    Enrol(enrol::EnrolArgs),
    /// Models for traps, and who is to use which
    #[command(subcommand)]
    Model(models::ModelCommand),
    /// Updates of whole traps, and who is to install which
    #[command(subcommand)]
    Update(updates::UpdateCommand),
    /// People who may log in
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
enum TrapCommand {
    /// Add a trap and print its key, this once
    Add {
        /// What its people call it
        name: String,
        /// Print `{"id", "name", "key"}` instead
        #[arg(long)]
        json: bool,
    },
    /// List all traps
    List {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// Revoke a trap's key; what it sent stays
    Revoke {
        /// Name or id
        trap: String,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user; asks for the password
    Add {
        /// Name to log in with
        name: String,
        /// Read the password from stdin's first line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a new password and end the user's sessions
    Passwd {
        /// Name to log in with
        name: String,
        /// Read the password from stdin's first line
        #[arg(long)]
        password_stdin: bool,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match command(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            if error.is::<BadConfig>() {
                ExitCode::from(78)
            } else {
                ExitCode::from(1)
            }
        }
    }
}

fn command(cli: Cli) -> anyhow::Result<()> {
    let file = File::read(cli.place.config.as_deref())?;
    let Some(data) = cli.place.data.or_else(|| file.data.clone()) else {
        return Err(BadConfig(
            "no data folder is named: add `--data DIR`, or `data = \"DIR\"` to the --config file"
                .to_owned(),
        )
        .into());
    };
    match cli.command {
        Command::Serve { listen, verbose } => {
            logging::start(if verbose {
                log::LevelFilter::Debug
            } else {
                log::LevelFilter::Info
            });
            let default = SocketAddr::from(([127, 0, 0, 1], 8080));
            let listen = listen.or(file.listen).unwrap_or(default);
            serve::serve(file.settings(data), listen)
        }
        Command::Status { json } => status(&open(&data)?.counts()?, json),
        Command::Trap(command) => trap(command, &mut open(&data)?),
        Command::Enrol(args) => enrol::enrol(args, &mut open(&data)?),
        Command::Model(command) => {
            let mut db = open(&data)?;
            models::model(command, &data, &mut db)
        }
        Command::Update(command) => {
            let mut db = open(&data)?;
            updates::update(command, &data, &mut db)
        }
        Command::User(command) => user(command, &mut open(&data)?),
    }
}

fn open(data: &std::path::Path) -> anyhow::Result<Db> {
    Ok(Db::open(data)?)
}

fn status(counts: &Counts, json: bool) -> anyhow::Result<()> {
    if json {
        return print(counts);
    }
    write_out(&format!(
        "traps       {}\ncaptures    {}\npictures    {}\ninspected   {}\ndetections  {}\n\
         missed      {}\n",
        counts.traps,
        counts.captures,
        counts.pictures,
        counts.inspected,
        counts.detections,
        counts.missed
    ))
}

fn trap(command: TrapCommand, db: &mut Db) -> anyhow::Result<()> {
    match command {
        TrapCommand::Add { name, json } => add_trap(db, &name, json),
        TrapCommand::List { json } => list_traps(&db.traps()?, json),
        TrapCommand::Revoke { trap } => {
            if !db.revoke_trap(&trap, system_clock())? {
                bail!("no trap in use is called `{trap}`; `trapline-server trap list` shows them");
            }
            say(&format!(
                "The key of `{trap}` is revoked. What the trap sent stays."
            ));
            Ok(())
        }
    }
}

fn add_trap(db: &mut Db, name: &str, json: bool) -> anyhow::Result<()> {
    check_name(name)?;
    let mut random = [0; 25];
    system_random(&mut random);
    let key = TrapKey::from_random(&random);
    if !db.add_trap(name, &key, system_clock())? {
        bail!("a trap in use is called `{name}` already: choose another name, or revoke that one");
    }
    if json {
        return print(&serde_json::json!({
            "id": key.trap().as_str(), "name": name, "key": key.reveal(),
        }));
    }
    write_out(&format!("{}\n", key.reveal()))?;
    say(&format!(
        "This is the key of trap `{name}` (id {}). It is shown only now: put it into the trap's \
         settings. If it is lost, revoke it and add the trap anew.",
        key.trap()
    ));
    Ok(())
}

fn list_traps(traps: &[TrapListed], json: bool) -> anyhow::Result<()> {
    if json {
        return print(&traps);
    }
    if traps.is_empty() {
        say("No trap yet. `trapline-server trap add NAME` adds one.");
        return Ok(());
    }
    let mut text = format!(
        "{:8}  {:24}  {:8}  {:>9}  last contact\n",
        "id", "name", "key", "captures"
    );
    for trap in traps {
        let key = if trap.revoked_ms.is_some() {
            "revoked"
        } else {
            "in use"
        };
        let contact = trap
            .last_contact_ms
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map_or_else(|| "never".to_owned(), |moment| format!("{moment:.0}"));
        text.push_str(&format!(
            "{:8}  {:24}  {key:8}  {:>9}  {contact}\n",
            trap.id, trap.name, trap.captures
        ));
    }
    write_out(&text)
}

fn user(command: UserCommand, db: &mut Db) -> anyhow::Result<()> {
    match command {
        UserCommand::Add {
            name,
            password_stdin,
        } => {
            check_name(&name)?;
            if db.user(&name)?.is_some() {
                bail!("there is a user `{name}` already; `user passwd` sets a new password");
            }
            let hash = ask_password(password_stdin)?;
            if !db.add_user(&name, &hash, system_clock())? {
                bail!("there is a user `{name}` already");
            }
            say(&format!("`{name}` can log in now."));
        }
        UserCommand::Passwd {
            name,
            password_stdin,
        } => {
            if db.user(&name)?.is_none() {
                bail!("there is no user `{name}`; `user add` adds one");
            }
            let hash = ask_password(password_stdin)?;
            if !db.set_password(&name, &hash)? {
                bail!("there is no user `{name}` any more");
            }
            say(&format!(
                "The password of `{name}` is changed, and every session of theirs has ended."
            ));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let characters = name.chars().count();
    let fits = (1..=80).contains(&characters) && !name.chars().any(char::is_control);
    if !fits || name.trim() != name {
        bail!("a name has 1 to 80 characters, no control characters, and no space at its ends");
    }
    Ok(())
}

/// Asks for a password and gives its hash.
fn ask_password(from_stdin: bool) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    let password = if from_stdin {
        read_line()?
    } else if stdin.is_terminal() {
        let first = ask_hidden("Password: ")?;
        if first != ask_hidden("Once more: ")? {
            bail!("the two passwords differ");
        }
        first
    } else {
        return Err(anyhow!(
            "no terminal to ask for a password: add `--password-stdin`"
        ));
    };
    if password.chars().count() < PASSWORD_CHARS_MIN {
        bail!("a password has at least {PASSWORD_CHARS_MIN} characters");
    }
    if password.len() > password::PASSWORD_BYTES_MAX {
        bail!(
            "a password has at most {} bytes",
            password::PASSWORD_BYTES_MAX
        );
    }
    let mut salt = [0; 16];
    system_random(&mut salt);
    Ok(password::hash(&password, &salt)?)
}

fn ask_hidden(prompt: &str) -> anyhow::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).context("cannot ask the terminal")?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).context("cannot hide the password")?;
    let mut stderr = std::io::stderr().lock();
    // A prompt that cannot be written is no reason to refuse the answer.
    drop(write!(stderr, "{prompt}").and_then(|()| stderr.flush()));
    let line = read_line();
    drop(writeln!(stderr));
    tcsetattr(&stdin, OptionalActions::Now, &before).context("cannot show the input again")?;
    line
}

fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn print<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    write_out(&format!("{text}\n"))
}

fn write_out(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .context("cannot write to stdout")
}

/// Words for the person; scripts read stdout.
fn say(text: &str) {
    // Nobody is left to tell when stderr is gone.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
