//! `cargo xtask demo`: the whole system, alive on this machine.

use crate::build::{self, Cast, Profile, Programs};
use crate::cli::DemoArgs;
use crate::process::{self, Running};
use crate::say;
use crate::trap::{self, Server, Trap, TrapPlan, USER};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Simulated traps of a demo without photographs.
const TRAPS: &[&str] = &["orchard-north", "orchard-south", "forest-edge", "meadow"];
const PASSWORD: &str = "sticky-card";

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    say::step("building the web app and the programs (release)");
    build::web()?;
    let cast = match args.images {
        Some(_) => Cast::Real,
        None => Cast::Simulated,
    };
    let programs = build::programs(Profile::Release, cast)?;
    let folder = fresh_folder()?;
    let stop = stop_flag()?;
    let server = Server::start(&programs, &folder.join("server"), &args.listen)?;
    server.add_user(USER, PASSWORD)?;
    let show = Show {
        args,
        folder: &folder,
        programs: &programs,
        server: &server,
        stop: &stop,
    };
    match &args.images {
        Some(images) => show.photographs(images),
        None => show.simulation(),
    }
}

/// Counts at the end of a demo.
#[derive(Default)]
struct Counts {
    captures: u64,
    on_server: u64,
    detections: u64,
    missed: u64,
}

struct Show<'a> {
    args: &'a DemoArgs,
    folder: &'a Path,
    programs: &'a Programs,
    server: &'a Server,
    stop: &'a AtomicBool,
}

impl Show<'_> {
    /// A real `trapline-agent` that replays photographs.
    fn photographs(&self, images: &Path) -> Result<()> {
        let images = images
            .canonicalize()
            .with_context(|| format!("cannot read {}", images.display()))?;
        let files = u64::try_from(trap::jpegs(&images)?.len())?;
        if files == 0 {
            bail!("no .jpg in {}", images.display());
        }
        let key = self.server.add_trap("photographs")?;
        let trap = Trap::set_up(
            self.programs,
            &TrapPlan {
                folder: &self.folder.join("trap"),
                images: &images,
                playback: if self.args.for_s.is_some() {
                    "once"
                } else {
                    "loop"
                },
                every_ms: self.every_ms(files),
                url: &self.server.url,
                key: &key,
            },
        )?;
        let mut agent = trap.start()?;
        self.invite(&format!(
            "one trap that replays {files} photographs of {}",
            images.display()
        ));
        self.watch(&mut [&mut agent], || self.count_trap(&trap))?;
        agent.stop(Duration::from_secs(20))?;
        self.close(&self.count_trap(&trap)?)
    }

    /// Simulated traps with two past weeks.
    fn simulation(&self) -> Result<()> {
        let mut keys = String::new();
        for name in TRAPS {
            keys.push_str(&format!("{name} {}\n", self.server.add_trap(name)?));
        }
        let key_file = self.folder.join("keys");
        std::fs::write(&key_file, keys)?;
        let log = std::fs::File::create(self.folder.join("sim.log"))?;
        let mut command = Command::new(&self.programs.sim);
        command
            .arg("live")
            .args(["--server", &self.server.url])
            .arg("--keys")
            .arg(&key_file);
        command.arg("--keep").arg(self.folder.join("traps"));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut sim = Running::start("trapline-sim", &mut command)?;
        self.invite(&format!(
            "{} simulated traps with two past weeks on rendered cards",
            TRAPS.len()
        ));
        self.watch(&mut [&mut sim], || self.count_simulation())?;
        let status = sim.stop(Duration::from_secs(60))?;
        let counts = self.count_simulation()?;
        if !status.success() {
            bail!(
                "trapline-sim ended with {status}; see {}",
                self.folder.join("sim.log").display()
            );
        }
        self.close(&counts)
    }

    /// With an end in sight the pictures fit into half of the time, for detection and upload need theirs too.
    fn every_ms(&self, files: u64) -> u64 {
        let half_ms = self
            .args
            .for_s
            .map_or(5_000 * files, |seconds| seconds * 500);
        (half_ms / files).clamp(250, 5_000)
    }

    fn invite(&self, who: &str) {
        say::step("the demo is running");
        say::line(&format!("  address   {}", self.server.url));
        say::line(&format!("  login     {USER}   password   {PASSWORD}"));
        say::line(&format!("  traps     {who}"));
        say::line(
            "  look at   the list of traps, then a trap's time line, then a picture with its boxes",
        );
        say::line(
            "            (drag the threshold; left and right arrow walk through the captures)",
        );
        say::line(&format!("  data      {}", self.folder.display()));
        say::line("  stop      Ctrl-C\n");
    }

    /// Shows progress until the time is over, a signal comes or a program ends.
    fn watch(
        &self,
        children: &mut [&mut Running],
        count: impl Fn() -> Result<Counts>,
    ) -> Result<()> {
        let start = Instant::now();
        loop {
            let seconds = start.elapsed().as_secs();
            if self.stop.load(Ordering::Relaxed)
                || self.args.for_s.is_some_and(|limit| seconds >= limit)
            {
                say::progress_done();
                return Ok(());
            }
            for child in children.iter_mut() {
                if let Some(status) = child.ended() {
                    bail!(
                        "a program ended by itself with {status}; see the logs in {}",
                        self.folder.display()
                    );
                }
            }
            if let Ok(counts) = count() {
                say::progress(&format!(
                    "  {seconds:>4} s   captures {}, on the server {}, detections {}, missed {}",
                    counts.captures, counts.on_server, counts.detections, counts.missed
                ));
            }
            process::pause(if self.args.for_s.is_some() {
                1_000
            } else {
                2_000
            });
        }
    }

    fn count_trap(&self, trap: &Trap) -> Result<Counts> {
        let (server, trap) = (self.server.counts()?, trap.counts()?);
        let (on_server, detections) = (server.pictures.min(server.captures), server.detections);
        Ok(Counts {
            captures: trap.captures,
            on_server,
            detections,
            missed: trap.missed,
        })
    }

    /// What the traps themselves say they captured is in the last line of their log.
    fn count_simulation(&self) -> Result<Counts> {
        let log = std::fs::read_to_string(self.folder.join("sim.log"))?;
        let word = |line: &str, name: &str| -> Option<u64> {
            let (_, rest) = line.split_once(name)?;
            rest.split(|c: char| !c.is_ascii_digit())
                .find(|digits| !digits.is_empty())?
                .parse()
                .ok()
        };
        let captures = log
            .lines()
            .rev()
            .find_map(|line| word(line, "captures "))
            .unwrap_or(0);
        let server = self.server.counts()?;
        let (on_server, detections) = (server.pictures.min(server.captures), server.detections);
        Ok(Counts {
            captures,
            on_server,
            detections,
            missed: server.missed,
        })
    }

    fn close(&self, counts: &Counts) -> Result<()> {
        if counts.on_server != counts.captures {
            say::line(&format!("the logs are in {}", self.folder.display()));
        }
        say::line(&format!(
            "demo: captures {}, on the server {}, detections {}, missed {}",
            counts.captures, counts.on_server, counts.detections, counts.missed
        ));
        if self.args.for_s.is_some()
            && (counts.captures == 0 || counts.on_server != counts.captures)
        {
            bail!("not all captures arrived");
        }
        Ok(())
    }
}

fn fresh_folder() -> Result<PathBuf> {
    let folder = build::target_folder()?.join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| {
            format!(
                "cannot clear {}; is another demo running?",
                folder.display()
            )
        })?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
