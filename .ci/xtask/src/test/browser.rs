//! The web app in headless Chromium, against a real server fed by a real trap.

use super::tally::{Counts, number_before, shown};
use crate::build::{self, Cast, Profile};
use crate::process;
use crate::setup;
use crate::trap::{Server, Trap, TrapPlan, USER};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "browser-test-password";
const PLATES: u64 = 6;

pub(super) fn run() -> Result<Counts> {
    setup::need_chromium()?;
    let programs = build::programs(Profile::Debug, Cast::All)?;
    let folder = build::target_folder()?.join("browser-test");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let plates = folder.join("plates");
    draw_plates(&programs.sim, &plates)?;
    let server = Server::start(&programs, &folder.join("server"), "127.0.0.1:0")?;
    server.add_user(USER, PASSWORD)?;
    let key = server.add_trap("orchard")?;
    let trap = Trap::set_up(
        &programs,
        &TrapPlan {
            folder: &folder.join("trap"),
            images: &plates,
            playback: "once",
            every_ms: 250,
            url: &server.url,
            key: &key,
        },
    )?;
    let mut agent = trap.start_with(&[
        ("TRAPLINE_PAGE_LISTEN", "127.0.0.1:0"),
        ("TRAPLINE_PAGE_OPEN", "always"),
    ])?;
    process::until(
        "all captures and what was found in them on the server",
        Duration::from_secs(300),
        || {
            let counts = server.counts()?;
            Ok(counts.pictures == PLATES && counts.inspected == PLATES)
        },
    )?;
    let page_password = process::output(&mut trap.command(&["page", "password"]))?;
    let text = shown(
        Command::new("npm")
            .args(["run", "--silent", "e2e"])
            .current_dir(process::root().join("sync-server/web"))
            .env("TRAPLINE_URL", &server.url)
            .env("TRAPLINE_USER", USER)
            .env("TRAPLINE_PASSWORD", PASSWORD)
            .env("TRAPLINE_PAGE_URL", page_url(&trap)?)
            .env("TRAPLINE_PAGE_PASSWORD", page_password.trim()),
    )?;
    agent.stop(Duration::from_secs(20))?;
    let counts = read_node(&text);
    if counts == Counts::default() {
        bail!("the browser tests did not get as far as a test");
    }
    Ok(counts)
}

/// Where the trap serves its technician's page, as its log says.
fn page_url(trap: &Trap) -> Result<String> {
    let log = std::fs::read_to_string(trap.folder.join("agent.log"))?;
    let words = "the technician's page is open at ";
    let said = log.lines().find_map(|line| line.split_once(words));
    let (_, url) = said.context("the agent does not say where its page is")?;
    let url = url.split_whitespace().next().unwrap_or_default();
    Ok(url.to_owned())
}

fn draw_plates(sim: &Path, plates: &Path) -> Result<()> {
    let count = PLATES.to_string();
    let mut command = Command::new(sim);
    command.arg("plates").arg(plates).args([
        "--count",
        &count,
        "--size",
        "1536x2048",
        "--seed",
        "5",
    ]);
    process::run(&mut command)
}

/// The closing lines of node's test runner: `# pass 12`, or `ℹ pass 12`.
fn read_node(text: &str) -> Counts {
    let last = |word: &str| {
        let line = text.lines().rev().find_map(|line| line.split_once(word));
        line.map_or(0, |(_, rest)| {
            number_before(&format!("{} ", rest.trim()), " ")
        })
    };
    Counts {
        passed: last(" pass "),
        failed: last(" fail "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_counted() {
        let text = "# tests 3\n# pass 2\n# fail 1\n";
        assert_eq!(
            read_node(text),
            Counts {
                passed: 2,
                failed: 1
            }
        );
    }
}
