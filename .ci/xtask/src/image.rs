//! `cargo xtask image`: a card for a trap, made of Debian's packages and the agent, without root's rights on this
//! machine, without loop devices, and the same bytes from the same inputs.
//!
//! What the image is made of and why stands in docs/IMAGE.md; the recipe lies in the room `image/`.

mod base;
pub(crate) mod bundle;
mod lock;
mod mirror;
mod namespace;
mod papers;
mod shelf;

use crate::cli::{Board, ImageArgs, ImageBootArgs};
use crate::emulator::{self, Guest};
use crate::{aarch64, build, cross, deb, process, say, setup};
use anyhow::{Context as _, Result};
use base::{Base, Recipe};
use lock::{Lock, Part};
use shelf::{Shelf, Versions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What this machine's own processor is called by Debian.
const DESK: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};
const BOOT_PACKAGES: [&str; 2] = ["u-boot-rpi", "u-boot-qemu"];

/// The parts of every image, whatever the board.
struct Parts {
    folder: PathBuf,
    root: Base,
    tools: Base,
    /// U-Boot's packages, unpacked.
    boot: PathBuf,
    boot_versions: Versions,
}

impl Parts {
    /// Where the initial file system of these packages and hooks is kept once it was made; making it is slow.
    fn initrd(&self) -> Result<PathBuf> {
        let room = namespace::room();
        let hooks = room.join("root/etc/initramfs-tools");
        let mut texts = vec![self.root.archive.display().to_string()];
        for path in [
            hooks.join("conf.d/trapline"),
            hooks.join("hooks/zz-trapline"),
            hooks.join("scripts/local-bottom/trapline-data"),
            room.join("modules.gone"),
            room.join("build/kernel.sh"),
        ] {
            texts.push(std::fs::read_to_string(&path)?);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(self
            .folder
            .join(format!("initrd-{}.img", base::key(&texts))))
    }
}

pub(crate) fn run(args: &ImageArgs) -> Result<()> {
    let started = Instant::now();
    namespace::ready()?;
    // What installs packages on this machine comes first: two at a time cannot.
    if args.agent.is_none() {
        setup::need_packager()?;
        setup::need_c_compiler()?;
        setup::need_bindings()?;
        aarch64::cross::ready()?;
    }
    // A quarter of an hour each, and neither waits for the other.
    let (parts, agent) = std::thread::scope(|scope| {
        let agent = scope.spawn(|| agent(args));
        (parts(args), agent.join())
    });
    let parts = parts?;
    let agent = agent.map_err(|_| anyhow::anyhow!("the maker of the agent fell over"))??;
    if args.relock {
        relock(&parts)?;
    }
    let out = out_folder(args)?;
    say::step(&format!("the image for {}", args.board.word()));
    let made = assemble(args, &parts, &agent, &out)?;
    say::step("compressing, and papers");
    papers::write(&made)?;
    say::line(&format!("made in {} s", started.elapsed().as_secs()));
    Ok(())
}

/// An image that was put together, and what is said about it.
struct Made {
    out: PathBuf,
    board: Board,
    version: String,
    epoch_s: u64,
    root: Versions,
    boot: Versions,
    tools: Versions,
}

fn out_folder(args: &ImageArgs) -> Result<PathBuf> {
    let folder = match &args.out {
        Some(folder) => std::path::absolute(folder)?,
        None => build::target_folder()?
            .join("image/out")
            .join(args.board.word()),
    };
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Finds or makes what all boards share.
fn parts(args: &ImageArgs) -> Result<Parts> {
    let folder = build::target_folder()?.join("image");
    std::fs::create_dir_all(&folder)?;
    say::step("Debian's packages for the trap and for the tools");
    let lock = Lock::read()?;
    let arm64 = Shelf::open(&folder.join("shelf-arm64"), "arm64")?;
    let desk = Shelf::open(&folder.join("shelf-desk"), DESK)?;
    let (on_arm64, on_desk) = (arm64.versions()?, desk.versions()?);
    let root = Recipe {
        part: Part::Root,
        architecture: "arm64",
        list: "packages.txt",
        shelf: &arm64,
        available: &on_arm64,
    };
    let tools = Recipe {
        part: Part::Tools,
        architecture: DESK,
        list: "workbench.txt",
        shelf: &desk,
        available: &on_desk,
    };
    // The tools are made beside the root, which takes most of the time.
    let lock = if args.relock { Lock::default() } else { lock };
    let (root, tools) = std::thread::scope(|scope| {
        let tools = scope.spawn(|| tools.ready(&folder, &lock, args.locked));
        let root = root.ready(&folder, &lock, args.locked);
        (root, tools.join())
    });
    let tools = tools.map_err(|_| anyhow::anyhow!("the maker of the tools fell over"))?;
    let locked = lock.of(Part::Boot);
    let mut boot_versions = Versions::new();
    let boot = folder.join("u-boot");
    for name in BOOT_PACKAGES {
        let offered = on_arm64
            .get(name)
            .with_context(|| format!("no package {name}"))?;
        let wanted = locked.get(name).filter(|version| offered.contains(version));
        let version = wanted
            .or(offered.first())
            .context("a package has a version")?;
        if args.locked && locked.get(name) != Some(version) {
            anyhow::bail!("{name} {version} is not what image/packages.lock names");
        }
        arm64.unpack(name, version, &boot)?;
        boot_versions.insert(name.to_owned(), version.clone());
    }
    Ok(Parts {
        folder,
        root: root?,
        tools: tools?,
        boot,
        boot_versions,
    })
}

fn relock(parts: &Parts) -> Result<()> {
    let mut lock = Lock::default();
    lock.set(Part::Root, parts.root.versions.clone());
    lock.set(Part::Tools, parts.tools.versions.clone());
    lock.set(Part::Boot, parts.boot_versions.clone());
    std::fs::write(Lock::path(), lock.text())?;
    say::line("image/packages.lock written");
    Ok(())
}

/// The agent as a package for the trap.
fn agent(args: &ImageArgs) -> Result<PathBuf> {
    if let Some(path) = &args.agent {
        return std::fs::canonicalize(path).with_context(|| format!("no {}", path.display()));
    }
    let made = deb::packages(&deb::Order {
        arch: deb::Arch::Arm64,
        parts: vec![cross::Part::Agent],
        care: cross::Care::Release,
        programs: None,
        out: None,
    })?;
    made.into_iter()
        .next()
        .context("no package of the agent was made")
}

fn assemble(args: &ImageArgs, parts: &Parts, agent: &Path, out: &Path) -> Result<Made> {
    let started = Instant::now();
    let work = parts.folder.join(format!("work-{}", args.board.word()));
    clear(&work)?;
    std::fs::create_dir_all(&work)?;
    let version = version()?;
    let epoch_s = epoch_s()?;
    let card = match &args.config {
        Some(path) => {
            std::fs::canonicalize(path).with_context(|| format!("no {}", path.display()))?
        }
        None => namespace::room().join("trapline.toml"),
    };
    let cert = match &args.update_cert {
        Some(path) => {
            std::fs::canonicalize(path).with_context(|| format!("no {}", path.display()))?
        }
        None => PathBuf::new(),
    };
    let mut command = namespace::command("assemble.sh");
    command
        .env("WORK", &work)
        .env("OUT", out)
        .env("IMAGE", namespace::room())
        .env("BASE", &parts.root.archive)
        .env("INITRD", parts.initrd()?)
        .env("WORKBENCH", &parts.tools.archive)
        .env("AGENT", agent)
        .env("BOARD", args.board.word())
        .env("CARD", card)
        .env("CERT", cert)
        .env("BOOT", &parts.boot)
        .env("VERSION", &version)
        .env("SOURCE_DATE_EPOCH", epoch_s.to_string());
    process::run(&mut command)?;
    clear(&work)?;
    say::line(&format!(
        "put together in {} s",
        started.elapsed().as_secs()
    ));
    Ok(Made {
        out: out.to_owned(),
        board: args.board,
        version,
        epoch_s,
        root: parts.root.versions.clone(),
        boot: parts.boot_versions.clone(),
        tools: parts.tools.versions.clone(),
    })
}

/// Removes a folder whose files may belong to anybody of the namespace.
fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        let mut command = namespace::command("clear.sh");
        process::run(command.arg(folder))?;
    }
    Ok(())
}

/// What the image calls itself: the version of the workspace.
fn version() -> Result<String> {
    Ok(env!("CARGO_PKG_VERSION").to_owned())
}

/// The time that all files carry: `SOURCE_DATE_EPOCH` where it is set, else that of the last commit.
fn epoch_s() -> Result<u64> {
    if let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let text = text.to_string_lossy();
        return text
            .parse()
            .context("SOURCE_DATE_EPOCH is no number of seconds");
    }
    let mut command = Command::new("git");
    command
        .args(["log", "-1", "--format=%ct"])
        .current_dir(process::root());
    let text = process::output(&mut command).context("without git, set SOURCE_DATE_EPOCH")?;
    Ok(text.trim().parse()?)
}

/// The folder of an image that is there already, or of one that is made now.
pub(crate) fn made(folder: Option<&Path>, board: Board) -> Result<PathBuf> {
    if let Some(folder) = folder {
        return std::fs::canonicalize(folder).with_context(|| format!("no {}", folder.display()));
    }
    let args = ImageArgs::of(board);
    let folder = out_folder(&args)?;
    if folder.join("disk.img").exists() {
        say::line(&format!(
            "the image for {} that is there; `cargo xtask image --board {0}` makes a new one",
            board.word()
        ));
    } else {
        run(&args)?;
    }
    Ok(folder)
}

/// Unpacks packages of the trap's release, for a module that is compiled for its kernel.
pub(crate) fn unpack_of_release(names: &[&str], into: &Path) -> Result<()> {
    let shelf = Shelf::open(&build::target_folder()?.join("image/shelf-arm64"), "arm64")?;
    let versions = shelf.versions()?;
    for name in names {
        let newest = versions.get(*name).and_then(|all| all.first());
        let version = newest.with_context(|| format!("no package {name}"))?;
        shelf.unpack(name, version, into)?;
    }
    Ok(())
}

/// Opens an image in the emulator with its console at the terminal.
pub(crate) fn boot(args: &ImageBootArgs) -> Result<()> {
    let image = match &args.image {
        Some(path) => path.clone(),
        None => build::target_folder()?.join("image/out/virt/disk.img"),
    };
    let folder = build::target_folder()?.join("image/boot");
    std::fs::create_dir_all(&folder)?;
    // The image stays as it is.
    let copy = folder.join("disk.img");
    process::run(
        Command::new("cp")
            .arg("--sparse=always")
            .arg(&image)
            .arg(&copy),
    )?;
    let firmware = image.with_file_name("u-boot.bin");
    let tools = emulator::ready()?;
    say::step("the console of the trap; Ctrl-A X ends it");
    let mut guest = Guest::new(&copy, &firmware);
    guest.console = None;
    guest.shell = true;
    let mut running = guest.start(&tools, &folder)?;
    while running.ended().is_none() {
        process::pause(200);
    }
    Ok(())
}
