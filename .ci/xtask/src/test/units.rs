//! The service manager's own judge of our units, where this machine has it: no complaint about any, and little that a
//! service could do beside its work.

use super::tally::Counts;
use crate::{process, say, setup};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tenths of the exposure that any service may have; what remains of it is explained in docs/SERVICES.md.
const EXPOSURE_MAX: &str = "20";
/// The agent's unit, and the one that takes its place.
const ALIKE: [&str; 2] = ["trapline-agent.service", "trapline-agent-safe.service"];
/// Services that run for long or at somebody's wish; the others are the system's own hands for a moment at boot.
const HELD: [&str; 4] = [
    "trapline-agent.service",
    "trapline-agent-safe.service",
    "trapline-clock@.service",
    "trapline-server.service",
];
/// Lines of these two that differ, because of what they are for.
const MAY_DIFFER: [&str; 2] = ["ExecStart=", "RestartSec="];

/// Verifies all units of `systemd/`; none where there is no `systemd-analyze`.
pub(super) fn run() -> Result<Counts> {
    let folder = process::root().join("systemd");
    let [agent, safe] = ALIKE;
    let [of_agent, of_safe] = ALIKE.map(|name| sandbox(&folder.join(name)));
    if of_agent? != of_safe? {
        bail!("{agent} and {safe} differ in more than they should");
    }
    let mut counts = Counts {
        passed: 1,
        failed: 0,
    };
    if !setup::found("systemd-analyze") {
        say::line("units were not verified: this machine has no systemd-analyze");
        return Ok(counts);
    }
    for unit in units(&folder)? {
        let name = unit
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match verify(&unit).and_then(|()| exposure(&unit, HELD.contains(&name.as_str()))) {
            Ok(said) => {
                say::line(&format!("{name}: {said}"));
                counts.passed += 1;
            }
            Err(error) => {
                say::line(&format!("{name}: {error:#}"));
                counts.failed += 1;
            }
        }
    }
    Ok(counts)
}

fn units(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.flatten();
    let mut units: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    units.retain(|path| path.extension().is_some_and(|ending| ending == "service"));
    units.sort();
    Ok(units)
}

/// What a unit's processes may do: its [Service] section without its comments.
fn sandbox(unit: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(unit)?;
    let section = text
        .split_once("[Service]\n")
        .context("a unit without [Service]")?
        .1;
    let section = section.split("\n[").next().unwrap_or(section);
    let own = section.lines().filter(|line| {
        let is_said = !line.is_empty() && !line.starts_with('#');
        is_said && !MAY_DIFFER.iter().any(|start| line.starts_with(start))
    });
    Ok(own.map(str::to_owned).collect())
}

/// Complaints are printed, and do not always show in the exit code.
fn verify(unit: &Path) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("trapline-units-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let copy = folder.join(unit.file_name().unwrap_or_default());
    // Programs that are not installed here would be all that is complained about.
    let text = std::fs::read_to_string(unit)?
        .replace("/usr/bin/trapline-agent", "/bin/true")
        .replace("/usr/bin/trapline-server", "/bin/true");
    std::fs::write(&copy, text)?;
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]).arg(&copy);
    let output = command.env("SYSTEMD_LOG_LEVEL", "warning").output();
    std::fs::remove_dir_all(&folder)?;
    let output = output.context("cannot start systemd-analyze")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let ours = |line: &&str| line.contains("trapline");
    let complaints: Vec<&str> = said.lines().filter(ours).collect();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("; "));
    }
    Ok(())
}

/// The last line of the service manager's table; an error if it is held and too high.
fn exposure(unit: &Path, is_held: bool) -> Result<String> {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--no-pager", "--offline=yes"]);
    if is_held {
        command.args(["--threshold", EXPOSURE_MAX]);
    }
    let text = process::output(command.arg(unit))?;
    let line = text
        .lines()
        .rev()
        .find(|line| line.contains("exposure level"));
    let words = line.and_then(|line| line.split_once(": "));
    Ok(words.map_or_else(String::new, |(_, value)| {
        format!("exposure {}", value.trim())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_units_pass() {
        let counts = run().unwrap();
        assert!(counts.passed > 0);
        assert_eq!(counts.failed, 0);
    }
}
