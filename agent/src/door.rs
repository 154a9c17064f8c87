//! The door to a running agent: a socket beside its ledger, for its owner only.
//! A check needs camera and sensors, and the agent holds them; so the command line
//! asks here first. One line of JSON goes in, one comes out.
//!
//! What comes in is believed in nothing: it is short or refused, it is soon there
//! or dropped, and it can ask for two checks and about the enrolment, and nothing else.

use crate::desk::Desk;
use crate::enrol::{EnrolFacts, Order};
use crate::{depart, selftest};
use anyhow::{Context as _, anyhow};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// The socket's name in the ledger's folder.
pub const SOCKET_FILE: &str = "agent.sock";
/// More than any question.
const QUESTION_BYTES_MAX: u64 = 256;
/// More than any report.
const REPORT_BYTES_MAX: u64 = 1_000_000;
/// Who has connected asks at once.
const QUESTION_LIMIT: Duration = Duration::from_secs(2);
/// Who has asked also reads.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// The steps of a check have deadlines of their own; all of them together take less.
const CHECK_LIMIT: Duration = Duration::from_mins(20);

/// An order is looked after so often, in case the server answers at once.
const ORDER_LOOKS: u32 = 10;
const ORDER_LOOK_EVERY: Duration = Duration::from_secs(1);

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask", deny_unknown_fields)]
pub enum Question {
    /// The self-test.
    Selftest {},
    /// The departure check.
    Depart {},
    /// How the trap stands with its server, after an order.
    Enrol {
        /// The order.
        order: Order,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Report(serde_json::Value),
    Refused(String),
}

/// The open door.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    file: PathBuf,
}

impl Door {
    /// Opens the door in the ledger's folder, which is locked by now, so that what an earlier
    /// agent left there is nobody's. Needs a runtime.
    ///
    /// # Errors
    /// When the file system knows no sockets, or the path is too long for one.
    pub fn open(ledger_dir: &Path) -> io::Result<Self> {
        let file = ledger_dir.join(SOCKET_FILE);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&file)?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, file })
    }

    /// Answers for ever, one after the other.
    pub async fn serve(&self, desk: &Desk) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if !is_one_of_us(&stream) => {
                    log::warn!("somebody else was sent away from the door");
                }
                Ok((stream, _)) => {
                    if let Err(error) = answer(desk, stream).await {
                        log::debug!("somebody at the door left: {error}");
                    }
                }
                Err(error) => {
                    log::debug!("nobody could be let in: {error}");
                    tokio::time::sleep(QUESTION_LIMIT).await;
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // One that stays is replaced by the next start.
        let _stays = std::fs::remove_file(&self.file);
    }
}

/// The trap's own user, or root: the file's mode says the same, but is set a moment after the
/// file is there.
fn is_one_of_us(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Does `work`, the agent's day, with the door open beside it where that can be.
pub async fn beside<T>(desk: &Desk, ledger_dir: &Path, work: impl Future<Output = T>) -> T {
    let door = match Door::open(ledger_dir) {
        Ok(door) => door,
        Err(error) => {
            log::warn!("checks cannot be asked of this agent: {error}");
            return work.await;
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = door.serve(desk) => std::future::pending().await,
    }
}

async fn answer(desk: &Desk, stream: UnixStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut read = BufReader::new(read.take(QUESTION_BYTES_MAX));
    let read = timeout(QUESTION_LIMIT, read.read_until(b'\n', &mut line));
    match read.await {
        Ok(done) => done?,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let answer = match serde_json::from_slice(&line) {
        Ok(Question::Selftest {}) => reported(&selftest::selftest(desk).await),
        Ok(Question::Depart {}) => reported(&depart::depart(desk).await),
        Ok(Question::Enrol { order }) => reported(&enrolled(desk, order).await),
        Err(_) => Answer::Refused("this is no question".to_owned()),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    match timeout(ANSWER_LIMIT, write.write_all(&text)).await {
        Ok(done) => done,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Leaves an order for the sync stage, and gives what came of it within a while.
async fn enrolled(desk: &Desk, order: Order) -> Option<EnrolFacts> {
    desk.enrol_orders.leave(order);
    desk.wakes.sync.notify_one();
    for _ in 0..ORDER_LOOKS {
        tokio::time::sleep(ORDER_LOOK_EVERY).await;
        if desk.enrol_orders.is_empty() {
            break;
        }
    }
    // The order was taken up; its answer is under way.
    tokio::time::sleep(ORDER_LOOK_EVERY).await;
    desk.health.facts().enrolment
}

fn reported<T: Serialize>(report: &T) -> Answer {
    match serde_json::to_value(report) {
        Ok(report) => Answer::Report(report),
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// Asks the agent that runs on the ledger in this folder; `None` when none does.
///
/// # Errors
/// When an agent runs and may not be asked, or gives no report.
pub async fn ask<T: DeserializeOwned>(
    ledger_dir: &Path,
    question: Question,
) -> anyhow::Result<Option<T>> {
    let mut stream = match UnixStream::connect(ledger_dir.join(SOCKET_FILE)).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why = "only the trap's own user may ask the running agent; try it with `sudo`";
            return Err(anyhow!(error).context(why));
        }
        // No file, or one that a dead agent left.
        Err(_) => return Ok(None),
    };
    let mut text = serde_json::to_vec(&question)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut line = Vec::new();
    let mut read = BufReader::new(stream.take(REPORT_BYTES_MAX));
    timeout(CHECK_LIMIT, read.read_until(b'\n', &mut line))
        .await
        .context("the running agent does not answer; restart it")??;
    match serde_json::from_slice(&line).context("the running agent stopped during the check")? {
        Answer::Report(report) => {
            let report = serde_json::from_value(report);
            report
                .context("the running agent is of another version; restart it")
                .map(Some)
        }
        Answer::Refused(why) => Err(anyhow!("the running agent refused: {why}; restart it")),
    }
}
