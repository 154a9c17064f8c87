//! A server and a trap on this machine, started from their binaries as their
//! users would start them.

use crate::build::Programs;
use crate::process::{self, Running};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The login that demo and tests create.
pub(crate) const USER: &str = "demo";

/// A running server with its data folder.
pub(crate) struct Server {
    pub(crate) process: Running,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    binary: PathBuf,
}

/// What the server counts, as `trapline-server status --json` prints it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct ServerCounts {
    pub(crate) captures: u64,
    pub(crate) pictures: u64,
    pub(crate) inspected: u64,
    pub(crate) detections: u64,
    pub(crate) missed: u64,
}

impl Server {
    /// Starts `trapline-server serve` and waits until it says where it listens.
    pub(crate) fn start(programs: &Programs, data: &Path, listen: &str) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.join("server.log"))?;
        let mut command = Command::new(&programs.server);
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", listen]);
        command
            .stdout(Stdio::piped())
            .stderr(log)
            .stdin(Stdio::null());
        let mut process = Running::start("trapline-server", &mut command)?;
        let stdout = process.stdout().context("the server has no output")?;
        let mut first_line = String::new();
        BufReader::new(stdout).read_line(&mut first_line)?;
        let Some(url) = first_line.trim().strip_prefix("listening on ") else {
            let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
            bail!(
                "trapline-server did not start: {}",
                log.lines().last().unwrap_or("it said nothing")
            );
        };
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            process,
            url,
            data: data.to_owned(),
            binary: programs.server.clone(),
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null());
        command
    }

    /// Adds a trap and gives its key.
    pub(crate) fn add_trap(&self, name: &str) -> Result<String> {
        let mut command = self.command(&["trap", "add", name]);
        Ok(process::output(&mut command)?.trim().to_owned())
    }

    /// A token with which traps enrol themselves.
    pub(crate) fn enrolment_token(&self) -> Result<String> {
        let mut command = self.command(&["enrol", "--uses", "20", "--expires", "30d", "--json"]);
        let made: serde_json::Value = serde_json::from_str(&process::output(&mut command)?)?;
        let token = made.get("token").and_then(serde_json::Value::as_str);
        Ok(token.context("the server made no token")?.to_owned())
    }

    /// Stores a signed bundle and offers it to all traps.
    pub(crate) fn offer_update(&self, bundle: &Path, version: &str) -> Result<()> {
        let mut add = self.command(&["update", "add"]);
        process::output(add.arg(bundle).args(["--version", version]))?;
        process::output(&mut self.command(&["update", "offer", version, "--all"]))?;
        Ok(())
    }

    /// Adds a login.
    pub(crate) fn add_user(&self, name: &str, password: &str) -> Result<()> {
        let mut command = self.command(&["user", "add", name, "--password-stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().context("cannot start trapline-server")?;
        child
            .stdin
            .take()
            .context("no standard input")?
            .write_all(password.as_bytes())?;
        let status = child.wait()?;
        if !status.success() {
            bail!("`trapline-server user add` ended with {status}");
        }
        Ok(())
    }

    /// What the server has now.
    pub(crate) fn counts(&self) -> Result<ServerCounts> {
        let text = process::output(&mut self.command(&["status", "--json"]))?;
        serde_json::from_str(&text).context("`trapline-server status --json` changed its form")
    }

    /// The file in which the server keeps the picture with this hash.
    pub(crate) fn blob(&self, sha256: &str) -> PathBuf {
        let shelf = sha256.get(..2).unwrap_or_default();
        self.data.join("blobs").join(shelf).join(sha256)
    }
}

/// What a trap counts, as far as `trapline-agent status --json` prints it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct TrapCounts {
    pub(crate) captures: u64,
    pub(crate) inspected: u64,
    pub(crate) missed: u64,
    pub(crate) records_waiting: u64,
    pub(crate) pictures_waiting: u64,
}

/// How a trap is set up.
pub(crate) struct TrapPlan<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) images: &'a Path,
    pub(crate) playback: &'a str,
    pub(crate) every_ms: u64,
    pub(crate) url: &'a str,
    pub(crate) key: &'a str,
}

/// A trap's folder with its configuration.
pub(crate) struct Trap {
    config: PathBuf,
    pub(crate) folder: PathBuf,
    binary: PathBuf,
}

impl Trap {
    /// Writes the trap's `agent.toml`.
    pub(crate) fn set_up(programs: &Programs, plan: &TrapPlan<'_>) -> Result<Self> {
        std::fs::create_dir_all(plan.folder)?;
        let config = plan.folder.join("agent.toml");
        let quoted = |path: &Path| serde_json::to_string(&path.to_string_lossy());
        let text = format!(
            "[ledger]\ndir = {}\n\n[schedule]\nevery = \"{}ms\"\n\n\
             [camera]\nkind = \"folder\"\nfolder = {}\nplayback = \"{}\"\n\n\
             [server]\nurl = \"{}\"\nkey = \"{}\"\n",
            quoted(&plan.folder.join("ledger"))?,
            plan.every_ms,
            quoted(plan.images)?,
            plan.playback,
            plan.url,
            plan.key,
        );
        std::fs::write(&config, text)?;
        Ok(Self {
            config,
            folder: plan.folder.to_owned(),
            binary: programs.agent.clone(),
        })
    }

    /// A command of the agent with this trap's configuration.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null());
        command
    }

    /// Starts `trapline-agent run`; its messages go to `agent.log` in the trap's folder.
    pub(crate) fn start(&self) -> Result<Running> {
        self.start_with(&[])
    }

    /// The same with settings as variables, each `TRAPLINE_…` with its value.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Result<Running> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("agent.log"))?;
        let mut command = self.command(&["run"]);
        // As systemd/trapline-agent.service has it.
        command.env("MALLOC_ARENA_MAX", "1");
        command.envs(variables.iter().copied());
        command.stdout(log.try_clone()?).stderr(log);
        Running::start("trapline-agent", &mut command)
    }

    /// What the trap has now.
    pub(crate) fn counts(&self) -> Result<TrapCounts> {
        let text = process::output(&mut self.command(&["status", "--json"]))?;
        serde_json::from_str(&text).context("`trapline-agent status --json` changed its form")
    }
}

/// The `.jpg` and `.jpeg` files of a folder, by name.
pub(crate) fn jpegs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_jpeg = |path: &PathBuf| {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
            .to_lowercase();
        extension == "jpg" || extension == "jpeg"
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_jpeg)
        .collect();
    files.sort();
    Ok(files)
}
