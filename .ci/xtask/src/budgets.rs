//! `cargo xtask budgets`: what the agent takes of a small machine, against the
//! bounds that docs/BUDGETS.md states.

use crate::build::{self, Cast, Profile, Programs};
use crate::process::{self, Running};
use crate::say;
use crate::trap::{Server, Trap, TrapPlan};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Pictures over which the bytes written are averaged.
const SHOTS: u64 = 20;

/// One line of the table.
struct Row {
    what: &'static str,
    measured: f64,
    unit: &'static str,
    bound: Option<f64>,
}

pub(crate) fn run() -> Result<()> {
    say::step("building the programs (release)");
    build::programs(Profile::Release, Cast::Simulated)?;
    // Last, so that agent and server are measured as they are shipped.
    let programs = build::programs(Profile::Release, Cast::Real)?;
    let folder = build::target_folder()?.join("budgets");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let bench = Bench {
        programs: &programs,
        folder: &folder,
    };
    let mut rows = vec![
        Row {
            what: "trapline-agent, stripped",
            measured: megabytes(&programs.agent)?,
            unit: "MB",
            bound: None,
        },
        Row {
            what: "trapline-server, stripped",
            measured: megabytes(&programs.server)?,
            unit: "MB",
            bound: None,
        },
    ];
    say::step("one 4608×2592 picture, then idle");
    rows.extend(bench.memory()?);
    say::step("twenty 1536×2048 pictures through to the server");
    rows.extend(bench.writes()?);
    print_table(&rows);
    Ok(())
}

struct Bench<'a> {
    programs: &'a Programs,
    folder: &'a Path,
}

impl Bench<'_> {
    fn plates(&self, name: &str, count: u64, size: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        let count = count.to_string();
        let mut command = Command::new(&self.programs.sim);
        command
            .arg("plates")
            .arg(&folder)
            .args(["--count", &count, "--size", size, "--seed", "3"]);
        process::run(&mut command)?;
        Ok(folder)
    }

    fn trap(&self, name: &str, images: &Path, every_ms: u64) -> Result<(Server, Trap)> {
        let folder = self.folder.join(name);
        let server = Server::start(self.programs, &folder.join("server"), "127.0.0.1:0")?;
        let key = server.add_trap("bench")?;
        let (url, folder) = (server.url.clone(), folder.join("trap"));
        let plan = TrapPlan {
            folder: &folder,
            images,
            playback: "once",
            every_ms,
            url: &url,
            key: &key,
        };
        let trap = Trap::set_up(self.programs, &plan)?;
        Ok((server, trap))
    }

    fn memory(&self) -> Result<Vec<Row>> {
        let images = self.plates("large", 1, "4608x2592")?;
        let (server, trap) = self.trap("memory", &images, 250)?;
        let start = Instant::now();
        let mut agent = trap.start()?;
        let pictures = trap.folder.join("ledger/pictures");
        let first = wait_for_picture(&pictures, start)?;
        settle(&server, &trap, 1)?;
        let idle = memory_mb(&agent, "VmRSS:")?;
        let peak = memory_mb(&agent, "VmHWM:")?;
        agent.stop(Duration::from_secs(20))?;
        let look = self.look(&images)?;
        let row = |what, measured, bound| Row {
            what,
            measured,
            unit: "MB",
            bound: Some(bound),
        };
        Ok(vec![
            Row {
                what: "start to first capture on the card",
                measured: first,
                unit: "s",
                bound: Some(0.3),
            },
            row("resident, idle, after that picture", idle, 20.0),
            row("resident, peak of the agent", peak, 150.0),
            row("resident, peak of the detector's process", look, 150.0),
            row("resident, peak, both together", peak + look, 150.0),
        ])
    }

    /// The most memory that the process of one look has while it runs.
    fn look(&self, images: &Path) -> Result<f64> {
        let images = crate::trap::jpegs(images)?;
        let picture = images.first().context("no picture was drawn")?;
        let mut command = Command::new(&self.programs.agent);
        command.arg("look").stdin(std::fs::File::open(picture)?);
        command.stdout(std::process::Stdio::null());
        let mut look = Running::start("trapline-agent look", &mut command)?;
        let mut peak: f64 = 0.0;
        while look.ended().is_none() {
            // A process that is just ending has no memory to tell of.
            peak = memory_mb(&look, "VmHWM:").map_or(peak, |now| peak.max(now));
            process::pause(2);
        }
        Ok(peak)
    }

    fn writes(&self) -> Result<Vec<Row>> {
        let images = self.plates("many", SHOTS, "1536x2048")?;
        let picture_bytes: u64 = crate::trap::jpegs(&images)?
            .iter()
            .filter_map(|p| Some(p.metadata().ok()?.len()))
            .sum();
        let (server, trap) = self.trap("writes", &images, 250)?;
        let mut agent = trap.start()?;
        settle(&server, &trap, SHOTS)?;
        let written = io_bytes(&agent, "write_bytes:")?;
        agent.stop(Duration::from_secs(20))?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "bytes of a short run fit a float exactly"
        )]
        let per_capture = |bytes: u64| bytes as f64 / SHOTS as f64 / 1024.0;
        Ok(vec![
            Row {
                what: "written per capture, picture included",
                measured: per_capture(written),
                unit: "KiB",
                bound: None,
            },
            Row {
                what: "written per capture beside the picture",
                measured: per_capture(written.saturating_sub(picture_bytes)),
                unit: "KiB",
                bound: None,
            },
        ])
    }
}

/// Waits until all is inspected and on the server, so that what follows is idleness.
fn settle(server: &Server, trap: &Trap, captures: u64) -> Result<()> {
    process::until(
        "the server to have everything",
        Duration::from_secs(180),
        || {
            let (here, there) = (trap.counts()?, server.counts()?);
            let quiet = here.inspected == captures
                && here.records_waiting == 0
                && here.pictures_waiting == 0;
            Ok(quiet && there.pictures == captures && there.inspected == captures)
        },
    )
}

/// Seconds from `start` until a finished picture lies in the ledger.
fn wait_for_picture(folder: &Path, start: Instant) -> Result<f64> {
    loop {
        if contains_jpeg(folder) {
            return Ok(start.elapsed().as_secs_f64());
        }
        if start.elapsed() > Duration::from_secs(60) {
            anyhow::bail!("no capture within a minute");
        }
        process::pause(1);
    }
}

fn contains_jpeg(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .any(|path| {
            let is_jpeg = path.extension().is_some_and(|e| e == "jpg");
            is_jpeg || (path.is_dir() && contains_jpeg(&path))
        })
}

fn megabytes(file: &Path) -> Result<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a file size for people")]
    Ok(std::fs::metadata(file)?.len() as f64 / 1e6)
}

fn memory_mb(running: &Running, field: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", running.pid()))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .context("the kernel says no memory")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}

fn io_bytes(running: &Running, field: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/io", running.pid()))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .context("the kernel counts no bytes")?;
    Ok(line.trim().parse()?)
}

fn print_table(rows: &[Row]) {
    say::line("\n| what | measured | bound | measured ÷ bound |\n|---|---|---|---|");
    for row in rows {
        let (bound, ratio) = row.bound.map_or(("–".to_owned(), "–".to_owned()), |bound| {
            (
                format!("{bound} {}", row.unit),
                format!("{:.2}", row.measured / bound),
            )
        });
        say::line(&format!(
            "| {} | {:.2} {} | {bound} | {ratio} |",
            row.what, row.measured, row.unit
        ));
    }
}
