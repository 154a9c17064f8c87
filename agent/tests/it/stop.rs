//! The program itself: starts, takes pictures, is told to stop, is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use trapline_store::{OsDisk, View};
use trapline_wire::v1::CaptureSource;

const PICTURES: u8 = 200;

fn set_up(folder: &Path) {
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for number in 0..PICTURES {
        let picture = crate::devices::jpeg(number);
        #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
        std::fs::write(pictures.join(format!("{number:03}.jpg")), picture).unwrap();
    }
    let settings = format!(
        "[ledger]\ndir = {:?}\n[camera]\nfolder = {:?}\n[schedule]\nevery = \"100ms\"\n\
         [detector]\nenabled = false\n",
        folder.join("ledger").display().to_string(),
        pictures.display().to_string()
    );
    #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
    std::fs::write(folder.join("agent.toml"), settings).unwrap();
}

/// Starts the agent and returns when it has taken so many pictures.
fn start(folder: &Path, pictures: usize) -> Child {
    let mut agent = Command::new(env!("CARGO_BIN_EXE_trapline-agent"))
        .args(["run", "--config"])
        .arg(folder.join("agent.toml"))
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(agent.stderr.take().unwrap());
    let taken = |line: &std::io::Result<String>| {
        line.as_ref()
            .is_ok_and(|line| line.contains("took picture"))
    };
    let seen = said.lines().filter(taken).take(pictures).count();
    assert_eq!(seen, pictures, "the agent ended early");
    agent
}

fn signal(agent: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &agent.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn replayed(folder: &Path) -> Vec<String> {
    let view = View::open(&folder.join("ledger"), Arc::new(OsDisk)).unwrap();
    let rows = view.captures(None, 1000).unwrap();
    let names = rows.into_iter().map(|row| match row.record.source {
        CaptureSource::Replayed { file_name } => file_name,
        CaptureSource::Camera { .. } | CaptureSource::Simulated => {
            panic!("only a folder is there")
        }
    });
    names.collect()
}

#[test]
fn sigterm_stops_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path());
    let mut agent = start(folder.path(), 3);
    signal(&agent, "-TERM");
    assert!(agent.wait().unwrap().success());
    let live = folder.path().join("ledger").join("live.json");
    assert!(!live.exists(), "a stopped agent has no live facts");
}

#[test]
fn sigkill_neither_repeats_nor_skips_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path());
    for pictures in [1, 2, 1] {
        let mut agent = start(folder.path(), pictures);
        signal(&agent, "-KILL");
        assert!(!agent.wait().unwrap().success());
    }
    let mut agent = start(folder.path(), 1);
    signal(&agent, "-TERM");
    assert!(agent.wait().unwrap().success());
    let names = replayed(folder.path());
    let expected: Vec<String> = (0..names.len()).map(|n| format!("{n:03}.jpg")).collect();
    assert_eq!(names, expected);
}
