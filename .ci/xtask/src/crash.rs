//! `cargo xtask crash`: the real programs under SIGKILL at random moments, most of them in the middle of work, then an
//! audit of every capture by its hash. The last line counts what was lost, what is there twice, and what differs.
//!
//! ```text
//! stock    pictures for the folder camera, laid down while the run goes on, so that no kill meets a trap at rest
//! aim      when a kill falls: at any moment, while a picture is written, while one is uploaded
//! audit    the trap's tables, the server's tables and the files of both, held against each other
//! ask      just enough HTTP to read the server's tables as a researcher
//! ```
//!
//! Pictures have some ten to a hundred and fifty kilobytes and the card's quota holds a few dozen, so pictures that are
//! safe on the server are deleted all the time while both programs are killed.

mod aim;
mod ask;
mod audit;
mod stock;

use crate::build::{self, Cast, Profile, Programs};
use crate::chance::Chance;
use crate::cli::CrashArgs;
use crate::process::{self, Running};
use crate::say;
use crate::trap::{Server, Trap, TrapPlan};
use aim::{Aim, Hits, Marks};
use anyhow::{Result, bail};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};
use stock::Stock;

/// Between two pictures.
const EVERY_MS: u64 = 200;
/// What the trap may keep of its pictures.
const QUOTA_BYTES: u64 = 3_000_000;
/// Kills between two looks at how many pictures are left.
const STOCK_EVERY: u32 = 10;
/// How long the last life has to deliver everything, beside what each picture adds.
const SETTLE_S: u64 = 600;

pub(crate) fn run(args: &CrashArgs) -> Result<()> {
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Debug
    };
    let programs = build::programs(profile, Cast::All)?;
    let folder = build::target_folder()?.join("crash");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut stock = Stock::open(&programs, &folder, args.seed)?;
    let server = Server::start(&programs, &folder.join("server"), "127.0.0.1:0")?;
    let listen = server.url.trim_start_matches("http://").to_owned();
    let key = server.add_trap("crash")?;
    let plan = TrapPlan {
        folder: &folder.join("trap"),
        images: &stock.images,
        playback: "once",
        every_ms: EVERY_MS,
        url: &server.url,
        key: &key,
    };
    let trap = Trap::set_up(&programs, &plan)?;
    let mut run = Run {
        programs,
        trap,
        server,
        listen,
        chance: Chance::of(args.seed),
        hits: Hits::default(),
        until: Instant::now() + Duration::from_secs(60 * u64::from(args.minutes)),
    };
    let started = Instant::now();
    let was_cut_short = run.torment(args, &mut stock)?;
    say::line(&run.hits.to_string());
    let torment_s = started.elapsed().as_secs();
    let mut agent = run.start_agent()?;
    run.settle(stock.pictures())?;
    agent.stop(Duration::from_secs(20))?;
    say::line(&format!(
        "{} pictures; {torment_s} s of kills, {} s until all was delivered",
        stock.pictures(),
        started.elapsed().as_secs() - torment_s
    ));
    let found = audit::audit(&stock.images, &run.trap, &run.server, &folder)?;
    for problem in found.problems.iter().take(20) {
        say::line(&format!("  {problem}"));
    }
    if let Some(kills) = was_cut_short {
        say::line(&format!(
            "only {kills} kills fitted into {} minutes",
            args.minutes
        ));
    }
    say::line(&format!(
        "crash: {} captures audited by hash, {} of them deleted from the card against a receipt",
        found.captures, found.pruned
    ));
    say::line(&format!(
        "lost {}, duplicated {}, differing {}",
        found.lost, found.duplicated, found.differing
    ));
    if !found.problems.is_empty() {
        bail!("{} problem(s)", found.problems.len());
    }
    if was_cut_short.is_some() {
        bail!("not all kills were made: give it more `--minutes`, or fewer kills");
    }
    Ok(())
}

/// Both programs while they are killed.
struct Run {
    programs: Programs,
    trap: Trap,
    server: Server,
    /// Where the server has to listen again.
    listen: String,
    chance: Chance,
    hits: Hits,
    /// When the killing ends, whether or not all kills were made.
    until: Instant,
}

impl Run {
    /// Kills both programs; gives the number of kills when time ran out before the last.
    fn torment(&mut self, args: &CrashArgs, stock: &mut Stock) -> Result<Option<u32>> {
        let marks = Marks::of(&self.trap.folder.join("ledger"), &self.server.data);
        let mut server_kills_due = 0;
        for kill in 1..=args.agent_kills {
            if Instant::now() > self.until {
                say::progress_done();
                return Ok(Some(kill - 1));
            }
            if (kill - 1) % STOCK_EVERY == 0 {
                let taken = if kill == 1 {
                    0
                } else {
                    self.trap.counts()?.captures
                };
                stock.fill_up(taken, u64::from(STOCK_EVERY) * 4)?;
            }
            let mut agent = self.start_agent()?;
            server_kills_due += args.server_kills;
            // As evenly among the lives of the agent as they go, several in one life where they are more.
            while server_kills_due >= args.agent_kills {
                server_kills_due -= args.agent_kills;
                let aim = Aim::draw(&mut self.chance);
                let hit = aim.wait(&marks, &mut self.chance);
                self.server.process.kill()?;
                self.hits.of_server(aim, hit);
                process::pause(self.chance.below(200));
                self.server = Server::start(&self.programs, &self.server.data, &self.listen)?;
            }
            let aim = Aim::draw(&mut self.chance);
            let hit = aim.wait(&marks, &mut self.chance);
            agent.kill()?;
            self.hits.of_agent(aim, hit);
            say::progress(&format!("  agent killed {kill}/{} times", args.agent_kills));
        }
        say::progress_done();
        Ok(None)
    }

    /// Starts the agent as in the field, but for a small card and an impatient link.
    fn start_agent(&self) -> Result<Running> {
        self.trap.start_with(&[
            ("TRAPLINE_LEDGER_QUOTA_BYTES", &QUOTA_BYTES.to_string()),
            ("TRAPLINE_LEDGER_FREE_BYTES_MIN", "0"),
            ("TRAPLINE_SYNC_RETRY_MIN", "50ms"),
            ("TRAPLINE_SYNC_RETRY_MAX", "500ms"),
            ("TRAPLINE_SYNC_PIECE_BYTES_MAX", "65536"),
        ])
    }

    fn settle(&self, pictures: u64) -> Result<()> {
        let patience = Duration::from_secs(SETTLE_S + 2 * pictures);
        process::until("the rest to arrive", patience, || {
            let (here, there) = (self.trap.counts()?, self.server.counts()?);
            let is_sent = here.records_waiting == 0 && here.pictures_waiting == 0;
            Ok(here.captures >= pictures
                && is_sent
                && there.pictures >= pictures
                && there.inspected >= pictures)
        })
    }
}

/// The hash of a picture as tables have it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
