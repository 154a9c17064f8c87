//! `cargo xtask cross`: agent and server for a Pi, and whether what came out runs on the systems that it is for.

pub(crate) mod needs;
mod target;

use crate::aarch64::cross::{self as arm64, Cpu};
use crate::cli::CrossArgs;
use crate::{build, process, say, setup};
use anyhow::{Context as _, Result, bail};
use needs::Needs;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
pub(crate) use target::Target;

/// One of the programs that are shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Part {
    Agent,
    Server,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Agent, Self::Server];

    /// The name of its package and of its program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "trapline-agent",
            Self::Server => "trapline-server",
        }
    }
}

/// How much care the compiler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Care {
    /// Small and fast: what is shipped.
    Release,
    /// Built soon, run slowly: for emulated machines.
    Rig,
    /// As the tests build it.
    Dev,
}

impl Care {
    fn profile(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Rig => "rig",
            Self::Dev => "dev",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Rig => "rig",
            Self::Dev => "debug",
        }
    }
}

pub(crate) fn run(args: &CrossArgs) -> Result<()> {
    let parts = if args.only.is_empty() {
        Part::ALL.to_vec()
    } else {
        args.only.clone()
    };
    let built = if args.in_container {
        in_container(args.target, args.profile, &parts)?
    } else {
        programs(args.target, args.profile, &parts)?
    };
    say::line("\n| program | size | glibc | libraries |\n|---|---|---|---|");
    for path in &built {
        let size_bytes = std::fs::metadata(path)?.len();
        let needs = Needs::of(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let megabytes = format!(
            "{}.{:02}",
            size_bytes / 1_000_000,
            size_bytes % 1_000_000 / 10_000
        );
        let (floor, libraries) = (needs.floor(), needs.libraries.join(", "));
        say::line(&format!(
            "| {name} | {megabytes} MB | {floor} | {libraries} |"
        ));
        needs.check(&name)?;
    }
    for path in &built {
        say::line(&path.display().to_string());
    }
    Ok(())
}

/// Builds these programs and gives their paths, in the same order.
pub(crate) fn programs(target: Target, care: Care, parts: &[Part]) -> Result<Vec<PathBuf>> {
    setup::need_c_compiler()?;
    if parts.contains(&Part::Server) {
        build::web()?;
    }
    // Another compiler than the desk's own: in a folder of its own, neither rebuilds what the other built.
    let folder = build::target_folder()?.join("cross");
    let mut built = Vec::new();
    for &part in parts {
        say::step(&format!("{} for {}", part.name(), target.triple()));
        let mut command = compiler(target, &words(care, part))?;
        command
            .env("CARGO_TARGET_DIR", &folder)
            .stdin(Stdio::null());
        if care == Care::Release {
            command.env("CARGO_ENCODED_RUSTFLAGS", without_places()?);
        }
        process::run(&mut command)?;
        let programs = folder.join(target.triple()).join(care.folder());
        built.push(programs.join(part.name()));
    }
    Ok(built)
}

fn words(care: Care, part: Part) -> Vec<&'static str> {
    let mut words = vec![
        "build",
        "--locked",
        "--profile",
        care.profile(),
        "-p",
        part.name(),
    ];
    if part == Part::Agent {
        words.extend(["--features", "pi"]);
    }
    words
}

/// A cargo that builds for `target`; Debian's own packages are enough for it.
fn compiler(target: Target, words: &[&str]) -> Result<Command> {
    match target {
        Target::Host => {
            setup::need_bindings()?;
            let mut command = build::cargo(words);
            command.args(["--target", target.triple()]);
            Ok(command)
        }
        Target::Aarch64 => {
            let cross = arm64::ready()?;
            setup::need_bindings()?;
            Ok(cross.cargo(words, Cpu::A53))
        }
        Target::Armv7 => {
            let own = Path::new(env!("CARGO")).with_file_name("rustc");
            let is_ready = arm64::has_target(&own, target.triple());
            setup::need_armv7(is_ready)?;
            setup::need_bindings()?;
            if is_ready {
                let mut command = build::cargo(words);
                command.args(["--target", target.triple()]);
                return Ok(command);
            }
            // Debian has no standard library for it to be installed beside this machine's, but its sources.
            let mut command = Command::new("/usr/bin/cargo");
            build::forget_this_package(&mut command);
            command
                .current_dir(process::root())
                .args(words)
                .args([
                    "--target",
                    target.triple(),
                    "-Z",
                    "build-std=std,panic_unwind",
                ])
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1");
            Ok(command)
        }
        Target::Armv6 => bail!(
            "a Pi Zero W's processor is older than Debian's armhf: use `cargo xtask cross --target armv6 --in-container`, \
             which takes `cross` and Docker or Podman"
        ),
    }
}

/// Builds in the containers of `cross`, which somebody else keeps; needs Docker or Podman.
fn in_container(target: Target, care: Care, parts: &[Part]) -> Result<Vec<PathBuf>> {
    if !setup::found("cross") {
        bail!("`cargo install cross` first, and Docker or Podman for it to run in");
    }
    if parts.contains(&Part::Server) {
        build::web()?;
    }
    let folder = build::target_folder()?.join("container");
    let mut built = Vec::new();
    for &part in parts {
        let mut command = Command::new("cross");
        build::forget_this_package(&mut command);
        command
            .current_dir(process::root())
            .args(words(care, part))
            .args(["--target", target.triple()])
            .env("CROSS_CONFIG", "cross.toml")
            .env("CARGO_TARGET_DIR", &folder);
        process::run(&mut command)?;
        let programs = folder.join(target.triple()).join(care.folder());
        built.push(programs.join(part.name()));
    }
    Ok(built)
}

/// Where a file stood on the machine that built it says nothing to a trap, and would make the program another one
/// on each machine.
fn without_places() -> Result<OsString> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let fallback = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"));
    let cargo = home
        .or_else(fallback)
        .context("neither CARGO_HOME nor HOME is set")?;
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(cargo);
    flags.push("=/cargo\x1f--remap-path-prefix=");
    flags.push(process::root());
    flags.push("=/trapline");
    Ok(flags)
}
