//! The emulated machine while it runs: its console in a file, a shell in the guest, and the bus beside it.

use crate::process::{self, Running};
use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A guest that says nothing for so long is lost; a busy desk emulates slowly.
const SILENCE_MAX: Duration = Duration::from_secs(240);
/// The emulator opens its socket soon.
const START_MAX: Duration = Duration::from_secs(60);

/// The arguments that give a machine the bus and the shell's port; it needs `memory-backend=memory` and that memory.
pub(crate) const BUS_AND_SHELL: [&str; 10] = [
    "-chardev",
    "socket,path=bus,id=bus",
    "-device",
    "vhost-user-i2c-pci,chardev=bus",
    "-chardev",
    "socket,path=shell,id=shell,server=on,wait=off",
    "-device",
    "virtio-serial-pci",
    "-device",
    "virtserialport,chardev=shell,name=rig",
];

/// Whose the guest's console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Console {
    /// It goes into `console.log`.
    File,
    /// It belongs to the person at the terminal.
    Person,
}

/// A running machine with its bus.
pub(crate) struct Machine {
    emulator: Running,
    // Dropped after the emulator, which would complain.
    bus: Running,
    control: PathBuf,
    console: PathBuf,
    shell: BufReader<UnixStream>,
    asked: u32,
}

/// What a command in the guest printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) code: i32,
}

impl Machine {
    /// Starts the bus (`bus` is its program) and `emulator` with their sockets and logs in `folder`, and waits until
    /// the guest's shell answers.
    pub(crate) fn start(
        bus: &Path,
        mut emulator: Command,
        folder: &Path,
        console: Console,
    ) -> Result<Self> {
        let mut machine = Self::power_on(bus, &mut emulator, folder, console)?;
        // What is written before the guest listens waits there.
        machine.ask("true").context("the guest did not come up")?;
        Ok(machine)
    }

    /// The same without waiting for the guest.
    pub(crate) fn power_on(
        bus: &Path,
        emulator: &mut Command,
        folder: &Path,
        console: Console,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        for old in ["bus", "control", "shell"].map(|name| folder.join(name)) {
            if old.exists() {
                std::fs::remove_file(old)?;
            }
        }
        // The names of sockets must be short, so they are relative to this folder.
        let control = folder.join("control");
        let mut player = Command::new(bus);
        player
            .args(["--bus", "bus", "--control", "control"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("bus.log"))?)
            .stderr(std::fs::File::create(folder.join("bus.err"))?);
        let bus = Running::start("trapline-rig", &mut player)?;
        process::until("the bus", START_MAX, || Ok(folder.join("bus").exists()))?;
        emulator.current_dir(folder);
        if console == Console::Person {
            emulator.args(["-serial", "mon:stdio"]);
        } else {
            emulator
                .args(["-monitor", "none", "-serial", "file:console.log"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(folder.join("emulator.log"))?);
        }
        let mut emulator = Running::start("qemu-system-aarch64", emulator)?;
        let shell = connect(&mut emulator, &folder.join("shell"))
            .with_context(|| format!("see the logs in {}", folder.display()))?;
        Ok(Self {
            emulator,
            bus,
            control,
            console: folder.join("console.log"),
            shell,
            asked: 0,
        })
    }

    /// The power is gone: nothing in the guest hears of it.
    pub(crate) fn cut(&mut self) -> Result<()> {
        self.emulator.kill()
    }

    /// Whether it has switched itself off, or rebooted where it may not.
    pub(crate) fn is_off(&mut self) -> bool {
        self.emulator.ended().is_some()
    }

    /// Whether the guest's shell answers now; asked once, at the end of a machine's life.
    pub(crate) fn answers(&mut self) -> bool {
        let soon = Some(Duration::from_secs(5));
        self.shell.get_ref().set_read_timeout(soon).is_ok() && self.ask("true").is_ok()
    }

    fn place(&self) -> String {
        let folder = self.console.parent().unwrap_or(&self.console);
        folder.display().to_string()
    }

    /// Runs a line in the guest's shell to its end.
    pub(crate) fn ask(&mut self, line: &str) -> Result<Answer> {
        self.asked += 1;
        let mark = format!("=={}==", self.asked);
        let place = self.place();
        let shell = &mut self.shell;
        let framed = format!("({line}\n) </dev/null 2>&1; echo; echo \"{mark}$?\"\n");
        shell.get_mut().write_all(framed.as_bytes())?;
        let mut text = String::new();
        loop {
            let mut said = Vec::new();
            let count = shell.read_until(b'\n', &mut said);
            let count = count
                .with_context(|| format!("the guest is silent; see console.log in {place}"))?;
            if count == 0 {
                bail!("the guest is gone; see console.log in {place}");
            }
            let said = String::from_utf8_lossy(&said);
            if let Some(code) = said.strip_prefix(&mark) {
                let code = code.trim().parse()?;
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                return Ok(Answer { text, code });
            }
            text.push_str(&said);
        }
    }

    /// Runs a line in the guest that has to end well, and gives what it printed.
    pub(crate) fn tell(&mut self, line: &str) -> Result<String> {
        let answer = self.ask(line)?;
        if answer.code != 0 {
            bail!(
                "`{line}` ended with {} in the guest: {}",
                answer.code,
                answer.text.trim()
            );
        }
        Ok(answer.text)
    }

    /// Writes a file in the guest.
    pub(crate) fn write(&mut self, path: &str, text: &str) -> Result<()> {
        self.tell(&format!("cat >{path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE"))?;
        Ok(())
    }

    /// How long the guest has been running; its seconds pass as slowly as its programs.
    pub(crate) fn uptime_s(&mut self) -> Result<f64> {
        let text = self.tell("cut -d' ' -f1 /proc/uptime")?;
        text.trim()
            .parse()
            .with_context(|| format!("an uptime of `{text}`"))
    }

    /// A line to the bus: what came back.
    pub(crate) fn bus(&self, line: &str) -> Result<String> {
        let mut stream = UnixStream::connect(&self.control).context("the bus does not answer")?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let word = |name| answer.get(name).and_then(serde_json::Value::as_str);
        match (word("ok"), word("error")) {
            (Some(said), _) => Ok(said.to_owned()),
            (None, why) => bail!("the bus refuses `{line}`: {}", why.unwrap_or("no reason")),
        }
    }

    /// Waits until the person at the console has switched it off.
    pub(crate) fn wait(&mut self) {
        while self.emulator.ended().is_none() && self.bus.ended().is_none() {
            process::pause(200);
        }
    }
}

/// The guest's shell behind the emulator's socket.
fn connect(emulator: &mut Running, socket: &Path) -> Result<BufReader<UnixStream>> {
    let mut connected = None;
    process::until("the emulator", START_MAX, || {
        if let Some(status) = emulator.ended() {
            bail!("the emulator ended at once with {status}");
        }
        connected = UnixStream::connect(socket).ok();
        Ok(connected.is_some())
    })?;
    let stream = connected.context("no connection")?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    Ok(BufReader::new(stream))
}
