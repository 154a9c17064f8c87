//! `cargo xtask deb`: Debian packages of agent and server, the same bytes whenever they are made of the same commit.

mod contents;
mod control;
mod lint;
mod tree;
mod trial;

use crate::cli::DebArgs;
use crate::cross::{self, Care, Part, Target};
use crate::{build, process, say, setup};
use anyhow::{Context as _, Result};
use contents::Contents;
use std::path::{Path, PathBuf};
use std::process::Command;
use tree::Tree;

/// The processors of packages, as Debian calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    /// 64-bit Pis.
    Arm64,
    /// 32-bit Pis from the Pi 2 on.
    Armhf,
    /// Servers, and desks that try packages.
    Amd64,
}

impl Arch {
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Armhf => "armhf",
            Self::Amd64 => "amd64",
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Arm64 => Target::Aarch64,
            Self::Armhf => Target::Armv7,
            Self::Amd64 => Target::Host,
        }
    }

    /// Debian's prefix of the tools for its programs.
    fn tools(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu",
            Self::Armhf => "arm-linux-gnueabihf",
            Self::Amd64 => "x86_64-linux-gnu",
        }
    }
}

/// Which packages are made of what.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) arch: Arch,
    pub(crate) parts: Vec<Part>,
    pub(crate) care: Care,
    /// Programs that were built already, instead of building them.
    pub(crate) programs: Option<PathBuf>,
    /// Where the packages go; without it, below the target folder.
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn run(args: &DebArgs) -> Result<()> {
    let parts = if args.only.is_empty() {
        Part::ALL.to_vec()
    } else {
        args.only.clone()
    };
    let packages = packages(&Order {
        arch: args.arch,
        parts,
        care: args.profile,
        programs: args.programs.clone(),
        out: args.out.clone(),
    })?;
    if !args.no_lint {
        say::step("lintian");
        lint::check(&packages)?;
    }
    if args.trial {
        say::step("install, upgrade, removal and purge, in a copy of this system");
        trial::run(&packages)?;
    }
    Ok(())
}

/// Makes the packages and gives their paths, in the order of the parts.
pub(crate) fn packages(order: &Order) -> Result<Vec<PathBuf>> {
    setup::need_packager()?;
    let programs = match &order.programs {
        Some(folder) => order
            .parts
            .iter()
            .map(|part| folder.join(part.name()))
            .collect(),
        None => cross::programs(order.arch.target(), order.care, &order.parts)?,
    };
    let out = match &order.out {
        Some(out) => out.clone(),
        None => build::target_folder()?.join("deb"),
    };
    std::fs::create_dir_all(&out)?;
    let edition = Edition::of_this_commit()?;
    let mut packages = Vec::new();
    for (&part, program) in order.parts.iter().zip(&programs) {
        let contents = Contents::of(part);
        let name = format!(
            "{}_{}_{}.deb",
            contents.name,
            edition.version,
            order.arch.name()
        );
        let package = out.join(name);
        make(contents, order.arch, program, &edition, &package)
            .with_context(|| format!("no package {} could be made", package.display()))?;
        let size_bytes = std::fs::metadata(&package)?.len();
        say::line(&format!(
            "{} ({}.{:02} MB)",
            package.display(),
            size_bytes / 1_000_000,
            size_bytes % 1_000_000 / 10_000
        ));
        packages.push(package);
    }
    Ok(packages)
}

/// Which state of the sources a package is made of.
struct Edition {
    version: String,
    /// Seconds since 1970 of the commit: no file in a package is newer.
    epoch: String,
    /// The same, as a changelog writes it.
    date: String,
    /// What the commit says that it does.
    subject: String,
}

impl Edition {
    fn of_this_commit() -> Result<Self> {
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            let text = process::output(command.current_dir(process::root()).args(words))?;
            anyhow::Ok(text.trim().to_owned())
        };
        let number = env!("CARGO_PKG_VERSION");
        // Only a tagged commit has the plain number; another one counts by its time between this number and the next.
        let is_tagged = git(&["tag", "--points-at", "HEAD"])?
            .lines()
            .any(|tag| tag.strip_prefix('v') == Some(number));
        let version = if is_tagged {
            number.to_owned()
        } else {
            let time = git(&[
                "log",
                "-1",
                "--format=%cd",
                "--date=format-local:%Y%m%d%H%M%S",
            ])?;
            let short = git(&["rev-parse", "--short=7", "HEAD"])?;
            format!("{number}+git{time}.{short}")
        };
        Ok(Self {
            version,
            epoch: git(&["log", "-1", "--format=%ct"])?,
            date: git(&["log", "-1", "--format=%cD"])?,
            subject: git(&["log", "-1", "--format=%s"])?,
        })
    }
}

/// Lays out one package below the target folder and packs it.
fn make(
    contents: &Contents,
    arch: Arch,
    program: &Path,
    edition: &Edition,
    package: &Path,
) -> Result<()> {
    let folder = build::target_folder()?.join("deb-work").join(contents.name);
    let tree = Tree::empty(&folder)?;
    let installed = format!("usr/bin/{}", contents.name);
    tree.copy(program, &installed, 0o755)?;
    // A build for tests carries the names of all its functions.
    let strip = format!("{}-strip", arch.tools());
    process::run(
        Command::new(strip)
            .arg("--strip-unneeded")
            .arg(tree.path(&installed)),
    )?;
    let root = process::root();
    for &(from, to) in contents.files {
        let mode = if contents.programs.contains(&from) {
            0o755
        } else {
            0o644
        };
        match to.strip_suffix(".gz") {
            Some(plain) => {
                tree.copy(&root.join(from), plain, mode)?;
                tree.zip(plain)?;
            }
            None => tree.copy(&root.join(from), to, mode)?,
        }
    }
    let (from, to) = contents.settings;
    tree.copy(&root.join(from), to, 0o644)?;
    let doc = format!("usr/share/doc/{}", contents.name);
    tree.copy(
        &root.join("systemd/deb/copyright"),
        &format!("{doc}/copyright"),
        0o644,
    )?;
    let changelog = format!("{doc}/changelog");
    tree.write(&changelog, &control::changelog(contents, edition), 0o644)?;
    tree.zip(&changelog)?;
    let overrides = format!("usr/share/lintian/overrides/{}", contents.name);
    tree.write(&overrides, &control::overrides(contents), 0o644)?;
    control::write(&tree, contents, arch, edition)?;
    tree.pack(&edition.epoch, package)
}
