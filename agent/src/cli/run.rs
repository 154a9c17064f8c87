//! The trap's day, whole or one picture of it.

use super::now_ms;
use super::print::say;
use crate::config::{Loaded, worked};
use crate::service::Service;
use crate::{boot, door, logging, status};
use anyhow::Context as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Threads that blocking work may take; an idle one ends soon and gives its memory back.
const THREADS_MAX: usize = 4;
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(2);

pub(super) fn run(loaded: Loaded) -> anyhow::Result<ExitCode> {
    logging::start(loaded.config.log_level);
    let name = loaded.config.trap.name.clone();
    let dir = loaded.config.ledger.dir.clone();
    let outside = match loaded.faults.is_empty() {
        true => Service::new(&dir).keeping(worked::text(&loaded.entries)),
        false => Service::new(&dir),
    };
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

pub(super) fn once(loaded: Loaded) -> anyhow::Result<ExitCode> {
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

pub(super) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS_MAX)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .context("cannot start the runtime")
}
