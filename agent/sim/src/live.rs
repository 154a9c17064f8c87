//! Simulated traps for a server that runs: two past weeks first, then a
//! picture every few seconds.
//!
//! Stages, ledger and HTTP are the real ones. Only the time of the past is
//! moved on by hand, so that two weeks take a minute. Each trap has something
//! to tell: see [`Story`].

pub mod quick_disk;
pub mod story;
mod trap;

use crate::plate::Size;
use anyhow::Context as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
pub use story::Story;
use trap::LiveTrap;
use trapline_wire::TrapKey;

/// What to run.
#[derive(Debug, Clone)]
pub struct LivePlan {
    /// Address of the server.
    pub server: String,
    /// The traps' names and keys.
    pub traps: Vec<(String, TrapKey)>,
    /// Where their ledgers are kept.
    pub folder: PathBuf,
    /// Where all chance comes from.
    pub seed: u64,
    /// How many days of the past.
    pub days: u32,
    /// Minutes between two pictures of the past.
    pub past_every_minutes: u32,
    /// How large the pictures are.
    pub size: Size,
    /// Between two pictures of now.
    pub every: Duration,
    /// The system's time, UTC in milliseconds.
    pub now_ms: fn() -> i64,
}

/// How far it is, summed over all traps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Captures in the ledgers.
    pub captures: u64,
    /// Of these: pictures that the server has.
    pub on_server: u64,
    /// Shots that were missed.
    pub missed: u64,
    /// Traps whose past is told.
    pub past_told: u64,
}

/// What the traps and whoever waits for them share.
#[derive(Debug, Default)]
pub struct Board {
    stop: AtomicBool,
    traps: Mutex<Vec<Done>>,
}

impl Board {
    /// Asks all traps to send what they have and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether they were asked.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The sums now.
    #[must_use]
    pub fn done(&self) -> Done {
        let mut sum = Done::default();
        for trap in self.lock().iter() {
            sum.captures += trap.captures;
            sum.on_server += trap.on_server;
            sum.missed += trap.missed;
            sum.past_told += trap.past_told;
        }
        sum
    }

    fn put(&self, trap: usize, done: Done) {
        let mut traps = self.lock();
        if traps.len() <= trap {
            traps.resize(trap + 1, Done::default());
        }
        if let Some(place) = traps.get_mut(trap) {
            *place = done;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Done>> {
        self.traps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs all traps until the board says stop, each on a thread of its own.
///
/// # Errors
/// The first error of a trap; all others are stopped by it.
pub fn run(plan: &LivePlan, board: &Arc<Board>) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (index, (name, key)) in plan.traps.iter().enumerate() {
            let board = Arc::clone(board);
            threads.push(scope.spawn(move || {
                let done = run_one(plan, &board, index, (name, key));
                if done.is_err() {
                    board.stop();
                }
                done.with_context(|| format!("the simulated trap {name}"))
            }));
        }
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(_) => Err(anyhow::anyhow!("a simulated trap panicked")),
            })
    })
}

fn run_one(
    plan: &LivePlan,
    board: &Board,
    index: usize,
    (name, key): (&String, &TrapKey),
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        let mut trap = LiveTrap::new(plan, index, name, key)?;
        trap.tell_the_past(board).await?;
        trap.go_on(board).await
    })
}
