//! Building the binaries and the web app.

use crate::{process, say, setup};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debug builds for tests, release builds for people and measurements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

/// The built programs.
pub(crate) struct Programs {
    pub(crate) agent: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) sim: PathBuf,
}

/// A cargo command in the root of the repository.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(process::root()).args(words);
    forget_this_package(&mut command);
    command
}

/// Cargo tells this tool, as whatever it runs, about the package that it is. A cargo that is started from here must not
/// hear of it: some build scripts look at these words and would build their package anew each time.
pub(crate) fn forget_this_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
}

/// Which programs are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    /// Agent and server, as they are shipped.
    Real,
    /// The simulation and the server.
    Simulated,
    /// The server alone.
    Server,
    /// All three.
    All,
}

impl Cast {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Real => &["trapline-agent", "trapline-server"],
            Self::Simulated => &["trapline-sim", "trapline-server"],
            Self::Server => &["trapline-server"],
            Self::All => &["trapline-agent", "trapline-server", "trapline-sim"],
        }
    }
}

/// Builds the programs that are needed; the others may be missing or old.
pub(crate) fn programs(profile: Profile, cast: Cast) -> Result<Programs> {
    setup::need_c_compiler()?;
    let mut words = vec!["build"];
    for package in cast.packages() {
        words.extend(["-p", package]);
    }
    if profile == Profile::Release {
        words.push("--release");
    }
    process::run(&mut cargo(&words))?;
    let folder = target_folder()?.join(if profile == Profile::Release {
        "release"
    } else {
        "debug"
    });
    Ok(Programs {
        agent: folder.join("trapline-agent"),
        server: folder.join("trapline-server"),
        sim: folder.join("trapline-sim"),
    })
}

/// Builds a bench of a package, given as package and name, with `command`, which names compiler and profile; gives the
/// program.
pub(crate) fn bench_program(
    mut command: Command,
    (package, name): (&str, &str),
    target_folder: &Path,
) -> Result<PathBuf> {
    setup::need_c_compiler()?;
    command
        .args(["-p", package, "--bench", name])
        .args(["--message-format", "json-render-diagnostics"])
        .env("CARGO_TARGET_DIR", target_folder);
    let text = process::output(&mut command)?;
    let built = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| {
            message
                .pointer("/target/name")
                .is_some_and(|target| target == name)
        })
        .find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)));
    built.with_context(|| format!("cargo built no program of the name `{name}`"))
}

/// Where cargo builds, which the environment may have moved.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let text = process::output(&mut cargo(&[
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ]))
    .or_else(|_| {
        process::output(&mut cargo(&[
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ]))
    })?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let folder = metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str);
    Ok(Path::new(folder.context("cargo metadata names no target folder")?).to_owned())
}

/// Builds the web app with exactly the packages of its lock file.
pub(crate) fn web() -> Result<()> {
    setup::need_node()?;
    say::line("installing the web app's packages (exactly those of its lock file) and building it");
    npm(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"])?;
    npm(&["run", "--silent", "build"])
}

/// An npm command in the folder of the web app.
pub(crate) fn npm(words: &[&str]) -> Result<()> {
    process::run(
        Command::new("npm")
            .args(words)
            .current_dir(process::root().join("sync-server/web")),
    )
}
