//! The detector in a process of its own: one picture, one process.
//!
//! The network's code and buffers are in memory only while a picture is looked
//! at, so an idle trap stays small; a picture on which the detector hangs, runs
//! out of memory or crashes ends that process and not the trap. The program is
//! this one, called as `trapline-agent look`; picture and answer travel in
//! anonymous files, so that neither side can block the other.
//!
//! In: what was remembered (`--memory-bytes` of it), then the picture, to the
//! end. Out: the answer in one line of JSON, then what to remember, to the end.

use crate::apart::THIS_PROGRAM;
use crate::inspect::{Asked, Detect, LookError, Seen, load_model};
use rustix::event::{Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use trapline_detect::look::{LookSettings, Scale};
use trapline_wire::v1::ModelRef;

/// Between two looks at the process.
const LOOK_AGAIN_MS: i64 = 10;
/// The longest answer: 5000 boxes in JSON have less than 2 MB, the small copy of
/// the picture less than 0.1, what is remembered of the largest one less than 4.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// More is never remembered.
const MEMORY_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The model could be loaded and described in less than this, many times over.
const DESCRIBE_LOOKS_MAX: u32 = 6_000;
/// What the runtime says before it ends a process that gets no more memory.
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// Captures, ledger and uplink go before inspections.
const NICENESS: i32 = 10;

/// What the process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The model that it loaded, and what that calculates with.
    Model(ModelRef, Option<String>),
    /// What it saw.
    Seen(Box<Seen>),
    /// It is no picture that anybody could look at.
    Unreadable(String),
    /// The model or the detector failed.
    Failed(String),
}

/// A detector whose work is done elsewhere.
#[derive(Debug)]
pub struct Inspector {
    manifest: Option<PathBuf>,
    memory_limit_bytes: u64,
    model: ModelRef,
    arithmetic: Option<String>,
}

impl Inspector {
    /// Lets a process load the model once, to know that it can and what it is.
    ///
    /// # Errors
    /// What is wrong with the model or the process, in words.
    pub fn start(manifest: Option<&Path>, memory_limit_bytes: u64) -> Result<Self, String> {
        let manifest = manifest.map(Path::to_owned);
        let mut looks = 0;
        let mut keep_going = || {
            looks += 1;
            looks < DESCRIBE_LOOKS_MAX
        };
        let words = [
            "--describe".to_owned(),
            format!("--memory-limit={memory_limit_bytes}"),
        ];
        let answer = ask(manifest.as_deref(), &words, &[], &mut keep_going);
        match answer {
            Ok(Answer::Model(model, arithmetic)) => Ok(Self {
                manifest,
                memory_limit_bytes,
                model,
                arithmetic,
            }),
            Ok(Answer::Failed(why)) | Err(LookError::Failed(why)) => Err(why),
            Ok(Answer::Seen(_) | Answer::Unreadable(_)) => Err("it gave another answer".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Detect for Inspector {
    fn model(&self) -> ModelRef {
        self.model.clone()
    }

    fn arithmetic(&self) -> Option<String> {
        self.arithmetic.clone()
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        let failed = |why: &str| Err(LookError::Failed(why.to_owned()));
        let memory = asked.memory.unwrap_or_default();
        let mut words = vec!["--expect".to_owned(), self.model.sha256.to_string()];
        words.push(format!("--memory-limit={}", self.memory_limit_bytes));
        words.extend(words_of(&asked.settings));
        words.push(format!("--whole-every={}", asked.settings.whole_every));
        words.push(format!("--memory-bytes={}", memory.len()));
        match ask(
            self.manifest.as_deref(),
            &words,
            &[memory, asked.jpeg],
            keep_going,
        )? {
            Answer::Seen(seen) => Ok(*seen),
            Answer::Unreadable(why) => Err(LookError::Unreadable(why)),
            Answer::Failed(why) => failed(&why),
            Answer::Model(..) => failed("the detector's process gave another answer"),
        }
    }
}

/// What `trapline-agent look` was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Another model than the one built in.
    pub manifest: Option<&'a Path>,
    /// Only say what the model is.
    pub describe: bool,
    /// Refuse to look with any other model than the one of this SHA-256.
    pub expect: Option<&'a str>,
    /// How to look.
    pub settings: LookSettings,
    /// How many bytes before the picture are what was remembered.
    pub memory_bytes: u64,
    /// Memory that the process may take for its data.
    pub memory_limit_bytes: Option<u64>,
}

/// The settings as the process takes them.
fn words_of(settings: &LookSettings) -> impl Iterator<Item = String> {
    let words = [
        (settings.whole, "--whole"),
        (settings.scale == Scale::Half, "--half"),
        (!settings.gated, "--ungated"),
    ];
    words
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, word)| word.to_owned())
}

/// The other side: looks at the picture of `input` and writes the answer.
///
/// # Errors
/// When the answer cannot be written.
pub fn serve(request: Request<'_>, input: impl io::Read, mut output: impl Write) -> io::Result<()> {
    // Both only make a loaded trap better, and both may be forbidden.
    rustix::process::nice(NICENESS).ok();
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).ok();
    if let Some(bytes) = request.memory_limit_bytes {
        // A picture that needs more ends this process, before the trap itself has too little.
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        setrlimit(Resource::Data, limit)?;
    }
    let answer = look(request, input)?;
    serde_json::to_writer(&mut output, &answer)?;
    if let Answer::Seen(seen) = &answer {
        output.write_all(b"\n")?;
        output.write_all(&seen.memory)?;
    }
    output.flush()
}

fn look(request: Request<'_>, mut input: impl io::Read) -> io::Result<Answer> {
    let mut detector = match load_model(request.manifest) {
        Ok(detector) => detector,
        Err(why) => return Ok(Answer::Failed(why)),
    };
    let model = detector.model();
    if request.describe {
        return Ok(Answer::Model(model, detector.arithmetic()));
    }
    if request
        .expect
        .is_some_and(|sha256| sha256 != model.sha256.to_string())
    {
        let why = "the model was replaced while the trap runs; restart it to use the new one";
        return Ok(Answer::Failed(why.to_owned()));
    }
    let mut memory = Vec::new();
    let memory_bytes = request.memory_bytes.min(MEMORY_BYTES_MAX);
    input.by_ref().take(memory_bytes).read_to_end(&mut memory)?;
    let mut jpeg = Vec::new();
    input.read_to_end(&mut jpeg)?;
    let asked = Asked {
        jpeg: &jpeg,
        memory: Some(&memory),
        settings: request.settings,
    };
    Ok(match detector.look(&asked, &mut || true) {
        Ok(seen) => Answer::Seen(Box::new(seen)),
        Err(LookError::Unreadable(why)) => Answer::Unreadable(why),
        Err(error) => Answer::Failed(error.to_string()),
    })
}

/// Runs the process to its end; [`LookError::Failed`] when it was stopped or gave no answer.
fn ask(
    manifest: Option<&Path>,
    words: &[String],
    input: &[&[u8]],
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Answer, LookError> {
    let failed = |why: String| LookError::Failed(why);
    let cannot = |error: io::Error| failed(format!("cannot start the detector's process: {error}"));
    let (answer, complaint) = (anonymous_file(&[]), anonymous_file(&[]));
    let (mut answer, mut complaint) = (answer.map_err(cannot)?, complaint.map_err(cannot)?);
    let mut command = Command::new(THIS_PROGRAM);
    command.arg("look").args(words);
    // A backtrace needs memory, and a process that has none left would wait for it for ever.
    command.env("RUST_BACKTRACE", "0");
    if let Some(manifest) = manifest {
        command.arg("--manifest").arg(manifest);
    }
    command
        .stdin(anonymous_file(input).map_err(cannot)?)
        .stdout(answer.try_clone().map_err(cannot)?)
        .stderr(complaint.try_clone().map_err(cannot)?);
    let status = run(command, keep_going).map_err(cannot)?;
    let Some(status) = status else {
        return Err(failed(
            "the detector's process took too long and was stopped".to_owned(),
        ));
    };
    let text = read_back(&mut answer).map_err(cannot)?;
    read_answer(&text).ok_or_else(|| {
        let words = read_back(&mut complaint).unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        let first = words.lines().map(str::trim).find(|line| !line.is_empty());
        let said = first.unwrap_or("it said nothing");
        if said.starts_with(OUT_OF_MEMORY) {
            return failed(format!(
                "the picture needs more memory than `detector.memory_limit_bytes` gives the \
                 detector ({said})"
            ));
        }
        failed(format!(
            "the detector's process ended with {status}: {said}"
        ))
    })
}

/// The answer, with what is to be remembered after its line.
fn read_answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = match end {
        Some(end) => (bytes.get(..end)?, bytes.get(end + 1..)?),
        None => (bytes, &[][..]),
    };
    let mut answer = serde_json::from_slice(line).ok()?;
    if let Answer::Seen(seen) = &mut answer {
        seen.memory = rest.to_vec();
    }
    Some(answer)
}

/// Waits for the process; `None` when it was told to stop.
fn run(
    mut command: Command,
    keep_going: &mut dyn FnMut() -> bool,
) -> io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: LOOK_AGAIN_MS * 1_000_000,
    };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if !keep_going() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // Waiting for nothing but time; a signal only makes the next look come earlier.
        poll(&mut [], Some(&pause)).ok();
    }
}

/// A file in memory that ends with its last reader, standing at its start.
fn anonymous_file(parts: &[&[u8]]) -> io::Result<File> {
    let mut file = File::from(memfd_create("trapline", MemfdFlags::CLOEXEC)?);
    for part in parts {
        file.write_all(part)?;
    }
    file.rewind()?;
    Ok(file)
}

fn read_back(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
