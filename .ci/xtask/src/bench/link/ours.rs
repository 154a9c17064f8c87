//! Our own agent and server over the link.

use super::proxy::Proxy;
use super::{Run, Work};
use crate::build::Programs;
use crate::cli::LinkColumn;
use crate::process::{self, Running};
use crate::trap::{Server, TrapCounts};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs the agent over the link until the server has everything and the agent knows it.
pub(super) fn run(programs: &Programs, work: &Work<'_>) -> Result<Run> {
    let folder = work.folder.join("ours");
    let trap = Trap::seed(programs, &folder, work)?;
    let server = Server::start(programs, &folder.join("server"), "127.0.0.1:0")?;
    let key = server.add_trap("link")?;
    let target = server.url.trim_start_matches("http://").parse()?;
    let payload = trap.payload(work)?;
    let proxy = Proxy::start(work.column.link, work.while_down, target)?;
    trap.configure(&proxy, &key)?;
    let proxy_began = proxy.elapsed();
    let mut agent = trap.start()?;
    let patience = Duration::from_secs(900);
    let pictures = u64::from(work.column.pictures);
    let blobs = server.data.join("blobs");
    loop {
        // Asking the agent's own command costs processor time, so the server's folder is looked at first.
        let there = pictures == 0 || files_in(&blobs) >= pictures;
        if there && trap.is_done(work)? {
            break;
        }
        if let Some(status) = agent.ended() {
            bail!(
                "the agent ended with {status}: see {}",
                trap.log().display()
            );
        }
        if proxy.elapsed() > patience {
            bail!(
                "not done after {} s: see {}",
                patience.as_secs(),
                trap.log().display()
            );
        }
        process::pause(if pictures == 0 { 100 } else { 20 });
    }
    let took = proxy.elapsed().saturating_sub(proxy_began);
    let (bytes_up, bytes_down) = proxy.bytes();
    let (cpu_s, resident_mb) = (cpu_s(&agent)?, resident_mb(&agent)?);
    agent.stop(Duration::from_secs(20))?;
    trap.audit(&server, work)?;
    Ok(Run {
        who: "trapline",
        seconds: took.as_secs_f64(),
        payload,
        bytes_up,
        bytes_down,
        cuts: proxy.cuts(),
        cpu_s: Some(cpu_s),
        resident_mb: Some(resident_mb),
    })
}

struct Trap {
    agent: PathBuf,
    folder: PathBuf,
}

impl Trap {
    fn seed(programs: &Programs, folder: &Path, work: &Work<'_>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let column = work.column;
        let mut command = Command::new(&programs.sim);
        command.arg("seed").arg(folder.join("ledger"));
        for (name, value) in [
            ("--pictures", column.pictures.to_string()),
            ("--picture-bytes", column.picture_bytes.to_string()),
            ("--records", column.records.to_string()),
            ("--record-bytes", column.record_bytes.to_string()),
            ("--seed", work.seed.to_string()),
        ] {
            command.args([name, &value]);
        }
        process::output(&mut command)?;
        Ok(Self {
            agent: programs.agent.clone(),
            folder: folder.to_owned(),
        })
    }

    fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    fn configure(&self, proxy: &Proxy, key: &str) -> Result<()> {
        let ledger = serde_json::to_string(&self.folder.join("ledger").to_string_lossy())?;
        let text = format!(
            "[ledger]\ndir = {ledger}\n\n[camera]\nkind = \"none\"\n\n[detector]\nenabled = false\n\n\
             [schedule]\nevery = \"24h\"\n\n[server]\nurl = \"http://{}\"\nkey = \"{key}\"\n",
            proxy.address
        );
        std::fs::write(self.folder.join("agent.toml"), text)?;
        Ok(())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.agent);
        command.args(words).arg("--config");
        command.arg(self.folder.join("agent.toml"));
        command.stdin(std::process::Stdio::null());
        command
    }

    fn start(&self) -> Result<Running> {
        let log = std::fs::File::create(self.log())?;
        let mut command = self.command(&["run"]);
        // As systemd/trapline-agent.service has it.
        command.env("MALLOC_ARENA_MAX", "1");
        command.stdout(log.try_clone()?).stderr(log);
        Running::start("trapline-agent", &mut command)
    }

    fn counts(&self) -> Result<TrapCounts> {
        let text = process::output(&mut self.command(&["status", "--json"]))?;
        serde_json::from_str(&text).context("`trapline-agent status --json` changed its form")
    }

    fn is_done(&self, work: &Work<'_>) -> Result<bool> {
        let counts = self.counts()?;
        // A column of records is done with its records, whatever becomes of the pictures that they speak of.
        let pictures_wait = counts.pictures_waiting > 0 && work.column.pictures > 0;
        Ok(counts.records_waiting == 0 && !pictures_wait)
    }

    /// Bytes that have to go: the pictures as files, the records as JSON.
    fn payload(&self, work: &Work<'_>) -> Result<u64> {
        let column = work.column;
        if column.name == LinkColumn::C {
            let counts = self.folder.join("ledger");
            anyhow::ensure!(counts.exists(), "the ledger was not made");
        }
        Ok(u64::from(column.pictures) * column.picture_bytes
            + u64::from(column.records) * column.record_bytes)
    }

    /// What the trap believes, held against the server's own counts and files.
    fn audit(&self, server: &Server, work: &Work<'_>) -> Result<()> {
        let there = server.counts()?;
        let captures = u64::from(work.column.pictures + work.column.records);
        if there.captures != captures || there.inspected != captures {
            bail!("the server has {there:?} of {captures} captures");
        }
        let mut wrong = 0;
        for file in all_files(&server.data.join("blobs")) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            wrong += u32::from(crate::crash::sha256(&std::fs::read(&file)?) != name);
        }
        if wrong > 0 {
            bail!("{wrong} pictures on the server are not what their name says");
        }
        Ok(())
    }
}

fn files_in(folder: &Path) -> u64 {
    all_files(folder).len() as u64
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let files = paths.flat_map(|path| {
        if path.is_dir() {
            all_files(&path)
        } else {
            vec![path]
        }
    });
    files.collect()
}

/// Seconds that all threads of the process have computed.
fn cpu_s(running: &Running) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", running.pid()))?;
    // After the name in brackets, which may hold anything, the 12th and 13th word are ticks of user and system.
    let (_, rest) = text.rsplit_once(')').context("no process there")?;
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|word| word.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

fn resident_mb(running: &Running) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", running.pid()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line
        .context("the kernel says no memory")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib * 1024.0 / 1e6)
}
