//! The emulated machine while it runs: its console in a file, a shell in the guest, and the bus beside it.

use super::parts::Parts;
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

/// How a machine is started.
#[derive(Debug, Clone, Default)]
pub(super) struct Start {
    /// The clock at power-on, as the emulator takes it: `1970-01-01T00:00:00`; the desk's without it.
    pub(super) clock: Option<String>,
    /// The console belongs to the person at the terminal.
    pub(super) interactive: bool,
}

/// A running machine with its bus.
pub(super) struct Machine {
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
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) code: i32,
}

impl Machine {
    /// Starts bus and machine with their sockets and logs in `folder`.
    pub(super) fn start(parts: &Parts, folder: &Path, start: &Start) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        // The names of sockets must be short, so they are relative to this folder.
        let control = folder.join("control");
        let mut bus = Command::new(&parts.bus);
        bus.args(["--bus", "bus", "--control", "control"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("bus.log"))?)
            .stderr(std::fs::File::create(folder.join("bus.err"))?);
        let bus = Running::start("trapline-rig", &mut bus)?;
        process::until("the bus", START_MAX, || Ok(folder.join("bus").exists()))?;
        let console = folder.join("console.log");
        let mut emulator = emulator(parts, start)?;
        emulator.current_dir(folder);
        if start.interactive {
            emulator.args(["-serial", "mon:stdio"]);
        } else {
            emulator
                .args(["-serial", "file:console.log"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(folder.join("emulator.log"))?);
        }
        let mut emulator = Running::start("qemu-system-aarch64", &mut emulator)?;
        let shell = connect(&mut emulator, &folder.join("shell"))
            .with_context(|| format!("see the logs in {}", folder.display()))?;
        let mut machine = Self {
            emulator,
            bus,
            control,
            console,
            shell,
            asked: 0,
        };
        // What is written before the guest listens waits there.
        machine.ask("true").context("the guest did not come up")?;
        Ok(machine)
    }

    fn place(&self) -> String {
        let folder = self.console.parent().unwrap_or(&self.console);
        folder.display().to_string()
    }

    /// Runs a line in the guest's shell to its end.
    pub(super) fn ask(&mut self, line: &str) -> Result<Answer> {
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
    pub(super) fn tell(&mut self, line: &str) -> Result<String> {
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
    pub(super) fn write(&mut self, path: &str, text: &str) -> Result<()> {
        self.tell(&format!("cat >{path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE"))?;
        Ok(())
    }

    /// How long the guest has been running; its seconds pass as slowly as its programs.
    pub(super) fn uptime_s(&mut self) -> Result<f64> {
        let text = self.tell("cut -d' ' -f1 /proc/uptime")?;
        text.trim()
            .parse()
            .with_context(|| format!("an uptime of `{text}`"))
    }

    /// A line to the bus: what came back.
    pub(super) fn bus(&self, line: &str) -> Result<String> {
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
    pub(super) fn wait(&mut self) {
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

fn emulator(parts: &Parts, start: &Start) -> Result<Command> {
    let usr = parts.tools.join("usr");
    let mut command = Command::new(usr.join("bin/qemu-system-aarch64"));
    let libraries: Vec<String> = [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
    ]
    .iter()
    .map(|place| parts.tools.join(place).display().to_string())
    .collect();
    let shell = if start.interactive { " rig.shell" } else { "" };
    let clock = start.clock.as_deref().unwrap_or("utc");
    command
        .env("LD_LIBRARY_PATH", libraries.join(":"))
        .arg("-L")
        .arg(usr.join("share/qemu"))
        .args([
            "-M",
            "virt,memory-backend=memory",
            "-cpu",
            "cortex-a53",
            "-smp",
            "2",
            "-m",
            "768",
        ])
        .args([
            "-accel",
            "tcg,thread=multi",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args([
            "-object",
            "memory-backend-memfd,id=memory,size=768M,share=on",
        ])
        .args(["-rtc", &format!("base={clock}")])
        .arg("-kernel")
        .arg(&parts.kernel)
        .arg("-initrd")
        .arg(&parts.initrd)
        .args([
            "-append",
            &format!("console=ttyAMA0 quiet rdinit=/init panic=-1{shell}"),
        ])
        .args([
            "-netdev",
            "user,id=net",
            "-device",
            "virtio-net-pci,netdev=net,romfile=",
        ])
        .args([
            "-chardev",
            "socket,path=bus,id=bus",
            "-device",
            "vhost-user-i2c-pci,chardev=bus",
        ])
        .args(["-chardev", "socket,path=shell,id=shell,server=on,wait=off"])
        .args([
            "-device",
            "virtio-serial-pci",
            "-device",
            "virtserialport,chardev=shell,name=rig",
        ]);
    if !start.interactive {
        command.args(["-monitor", "none"]);
    }
    Ok(command)
}
