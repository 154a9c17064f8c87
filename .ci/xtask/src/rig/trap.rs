//! The trap inside of the machine, and the server that it talks to on the desk.

use super::parts::Parts;
use crate::machine::Machine;
use crate::trap::{Server, ServerCounts};
use anyhow::{Context as _, Result, bail};
use std::path::Path;

/// Where the guest finds the desk's own loopback.
const DESK: &str = "10.0.2.2";
const NAME: &str = "rig";

/// A trap with its server.
pub(super) struct Trap {
    pub(super) machine: Machine,
    server: Server,
    picture_px: (u32, u32),
}

impl Trap {
    /// Starts the server and writes the trap's settings; the agent is not started yet.
    pub(super) fn set_up(
        parts: &Parts,
        mut machine: Machine,
        folder: &Path,
        settings: &str,
    ) -> Result<Self> {
        let server = Server::start(&parts.programs, &folder.join("server"), "127.0.0.1:0")?;
        let key = server.add_trap(NAME)?;
        let port = server
            .url
            .rsplit(':')
            .next()
            .context("the server has no port")?;
        machine.write("/etc/trapline/agent.toml", &own_settings(port, &key))?;
        machine.write("/boot/firmware/trapline-agent.toml", settings)?;
        let picture_px = parts.picture_px;
        Ok(Self {
            machine,
            server,
            picture_px,
        })
    }

    pub(super) fn agent(&mut self, order: &str) -> Result<()> {
        let line = match order {
            "start" => {
                "setsid trapline-agent run >>/var/log/agent.log 2>&1 & echo $! >/run/agent.pid"
            }
            "stop" => "kill $(cat /run/agent.pid)",
            "kill" => "kill -9 $(cat /run/agent.pid)",
            "kill group" => "kill -9 -$(cat /run/agent.pid)",
            _ => bail!("the agent can `start`, `stop`, `kill` or `kill group`, not `{order}`"),
        };
        self.machine.tell(line)?;
        if order == "start" {
            return Ok(());
        }
        let gone = "while kill -0 $(cat /run/agent.pid) 2>/dev/null; do usleep 50000; done";
        self.machine.tell(gone).map(drop)
    }

    pub(super) fn camera(&mut self, order: &str) -> Result<()> {
        let (width, height) = self.picture_px;
        let line = match order {
            "feed" => format!(
                "feed /dev/video0 /rig/pictures/0.jpg {width} {height} 5 >>/var/log/feed.log 2>&1 & \
                 echo $! >/run/feed.pid"
            ),
            "stop" => "kill $(cat /run/feed.pid)".to_owned(),
            _ => bail!("the camera can `feed` or `stop`, not `{order}`"),
        };
        self.machine.tell(&line).map(drop)
    }

    pub(super) fn link(&mut self, order: &str) -> Result<()> {
        let line = match order {
            "up" | "down" => format!("ip link set eth0 {order}"),
            worse => format!("tc qdisc replace dev eth0 root netem {worse}"),
        };
        self.machine.tell(&line)?;
        if order == "up" {
            // A link that goes down takes its routes with it.
            self.machine.tell(
                "tc qdisc del dev eth0 root 2>/dev/null; ip route replace default via 10.0.2.2",
            )?;
        }
        Ok(())
    }

    pub(super) fn line(&mut self, gpio: u8, pull: &str) -> Result<()> {
        self.machine
            .tell(&format!("echo pull-{pull} >/run/lines/sim_gpio{gpio}/pull"))
            .map(drop)
    }

    pub(super) fn is_high(&mut self, gpio: u8) -> Result<bool> {
        let text = self
            .machine
            .tell(&format!("cat /run/lines/sim_gpio{gpio}/value"))?;
        Ok(text.trim() == "1")
    }

    /// `trapline-agent status --json`.
    pub(super) fn status(&mut self) -> Result<serde_json::Value> {
        let text = self
            .machine
            .tell("trapline-agent status --json 2>/dev/null")?;
        serde_json::from_str(&text).with_context(|| format!("a status of `{text}`"))
    }

    /// A table as `trapline-agent export` writes it.
    pub(super) fn table(&mut self, name: &str) -> Result<String> {
        let line = format!(
            "trapline-agent export /tmp/export >/dev/null 2>&1; cat /tmp/export/{name}.csv"
        );
        self.machine.tell(&line)
    }

    pub(super) fn server(&self) -> Result<ServerCounts> {
        self.server.counts()
    }

    /// Copies the guest's logs to the desk, for whoever wants to know what happened.
    pub(super) fn keep_logs(&mut self, folder: &Path) -> Result<()> {
        let log = self
            .machine
            .tell("cat /var/log/agent.log 2>/dev/null; true")?;
        std::fs::write(folder.join("agent.log"), log)?;
        let status = self
            .machine
            .ask("trapline-agent status; trapline-agent export /tmp/export; dmesg | tail -30")?;
        std::fs::write(folder.join("status.txt"), status.text)?;
        for table in ["readings", "effort", "captures"] {
            let text = self
                .machine
                .ask(&format!("cat /tmp/export/{table}.csv"))?
                .text;
            std::fs::write(folder.join(format!("{table}.csv")), text)?;
        }
        std::fs::write(folder.join("bus.txt"), self.machine.bus("log")?)?;
        Ok(())
    }
}

/// What holds for each trap of the rig; a scenario writes its own over it. No detector: its network is emulated so
/// slowly that it would say nothing about a trap.
fn own_settings(port: &str, key: &str) -> String {
    format!(
        "[trap]\nname = \"{NAME}\"\n\n\
         [ledger]\nfree_bytes_min = 10_000_000\n\n\
         [schedule]\nevery = \"2s\"\n\n\
         [camera]\nkind = \"folder\"\nfolder = \"/rig/pictures\"\nplayback = \"loop\"\n\n\
         [sensors]\nclimate = [\"sht3x\"]\nlight = [\"bh1750\"]\nbattery = [\"ina219\"]\nbus = 0\n\n\
         [detector]\nenabled = false\n\n\
         [server]\nurl = \"http://{DESK}:{port}\"\nkey = \"{key}\"\n\n\
         [sync]\nretry_min = \"1s\"\nretry_max = \"4s\"\nrequest_timeout = \"20s\"\n\n\
         [log]\nlevel = \"debug\"\n"
    )
}
