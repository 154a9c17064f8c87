//! What other people use for such a link, over the same link: rsync, and a tus client in a loop.

use super::proxy::Proxy;
use super::{Run, Work};
use crate::build::{self, Programs};
use crate::process::{self, Running};
use crate::trap::Server;
use crate::{say, setup};
use anyhow::{Context as _, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A peer that has not ended after this long is given up.
const PATIENCE: Duration = Duration::from_secs(600);
const TUS_CLIENT: &str = "tus-js-client@4.3.1";
/// Uploads the files of a folder, one after the other.
const UPLOAD_FOLDER: &str = include_str!("upload_folder.mjs");

/// Files with as many bytes as the trap has to send.
pub(super) fn draw(work: &Work<'_>) -> Result<PathBuf> {
    let folder = work.folder.join("files");
    std::fs::create_dir_all(&folder)?;
    let column = work.column;
    let (count, bytes) = if column.pictures > 0 {
        (column.pictures, column.picture_bytes)
    } else {
        (column.records, column.record_bytes)
    };
    let mut state = work.seed;
    for number in 0..count {
        let mut content = Vec::with_capacity(usize::try_from(bytes)?);
        while (content.len() as u64) < bytes {
            // SplitMix64, which no compression sees through.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            content.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        content.truncate(usize::try_from(bytes)?);
        std::fs::write(folder.join(format!("{number:04}.jpg")), content)?;
    }
    Ok(folder)
}

/// `rsync --partial` to a daemon, called again until it is content; `None` where it is not installed.
pub(super) fn rsync(work: &Work<'_>, files: &Path, install: bool) -> Result<Option<Run>> {
    if install {
        setup::need_rsync()?;
    }
    if !setup::found("rsync") {
        return Ok(None);
    }
    let folder = work.folder.join("rsync");
    let there = folder.join("there");
    std::fs::create_dir_all(&there)?;
    let config = folder.join("rsyncd.conf");
    let text = format!(
        "use chroot = no\nreverse lookup = no\n[there]\npath = {}\nread only = no\nuid = root\ngid = root\n",
        there.display()
    );
    std::fs::write(&config, text)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut daemon = Command::new("rsync");
    daemon.args(["--daemon", "--no-detach", "--address", "127.0.0.1"]);
    daemon.arg(format!("--port={}", port.port()));
    daemon.arg(format!("--config={}", config.display()));
    daemon.stdin(Stdio::null()).stdout(Stdio::null());
    let _daemon = Running::start("rsync", &mut daemon)?;
    process::until("rsync's daemon", Duration::from_secs(10), || {
        Ok(std::net::TcpStream::connect(port).is_ok())
    })?;
    let proxy = Proxy::start(work.column.link, work.while_down, port)?;
    loop {
        let mut once = Command::new("rsync");
        once.args(["-rt", "--partial", "--timeout=10", "--contimeout=2"]);
        once.arg(format!("{}/", files.display()));
        once.arg(format!("rsync://{}/there/", proxy.address));
        once.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if once.status()?.success() {
            break;
        }
        if proxy.elapsed() > PATIENCE {
            bail!("rsync was not done after {} s", PATIENCE.as_secs());
        }
        process::pause(100);
    }
    same(files, &there)?;
    Ok(Some(counted("rsync --partial", &proxy, work)))
}

/// tus-js-client, one file after the other; `None` where it is not installed.
pub(super) fn tus(
    programs: &Programs,
    work: &Work<'_>,
    files: &Path,
    install: bool,
) -> Result<Option<Run>> {
    let client = build::target_folder()?.join("bench-link-tus");
    let is_there = || client.join("node_modules/tus-js-client").is_dir();
    if install && !is_there() {
        setup::need_node()?;
        say::line("installing tus-js-client with npm: it is measured beside our own way");
        std::fs::create_dir_all(&client)?;
        for words in [
            vec!["init", "--yes"],
            vec!["install", "--silent", TUS_CLIENT],
        ] {
            let mut npm = Command::new("npm");
            npm.args(words).current_dir(&client).stdout(Stdio::null());
            process::run(&mut npm)?;
        }
    }
    if !is_there() || !setup::found("node") {
        return Ok(None);
    }
    let folder = work.folder.join("tus");
    std::fs::create_dir_all(&folder)?;
    let server = Server::start(programs, &folder.join("server"), "127.0.0.1:0")?;
    let key = server.add_trap("peer")?;
    let script = folder.join("upload_folder.mjs");
    std::fs::write(&script, UPLOAD_FOLDER)?;
    let target = server.url.trim_start_matches("http://").parse()?;
    let proxy = Proxy::start(work.column.link, work.while_down, target)?;
    let mut node = Command::new("node");
    node.arg(&script);
    node.arg(format!("http://{}/api/v1/uploads", proxy.address));
    node.arg(&key).arg(files).arg(&client).stdin(Stdio::null());
    let mut running = Running::start("node", &mut node)?;
    loop {
        if let Some(status) = running.ended() {
            if !status.success() {
                bail!("tus-js-client ended with {status}");
            }
            break;
        }
        if proxy.elapsed() > PATIENCE {
            bail!("tus-js-client was not done after {} s", PATIENCE.as_secs());
        }
        process::pause(10);
    }
    Ok(Some(counted("tus-js-client", &proxy, work)))
}

fn counted(who: &'static str, proxy: &Proxy, work: &Work<'_>) -> Run {
    let (bytes_up, bytes_down) = proxy.bytes();
    let column = work.column;
    Run {
        who,
        seconds: proxy.elapsed().as_secs_f64(),
        payload: u64::from(column.pictures) * column.picture_bytes
            + u64::from(column.records) * column.record_bytes,
        bytes_up,
        bytes_down,
        cuts: proxy.cuts(),
        cpu_s: None,
        resident_mb: None,
    }
}

fn same(here: &Path, there: &Path) -> Result<()> {
    for entry in std::fs::read_dir(here)? {
        let entry = entry?;
        let copy = std::fs::read(there.join(entry.file_name())).context("a file did not arrive")?;
        if copy != std::fs::read(entry.path())? {
            bail!("{} arrived as something else", entry.path().display());
        }
    }
    Ok(())
}
