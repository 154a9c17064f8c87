//! What each package holds, and in which files of the repository that stands.

use crate::cross::Part;

/// One of the two packages.
pub(super) struct Contents {
    /// Of the package and of its program.
    pub(super) name: &'static str,
    /// One line, as package lists show it.
    pub(super) summary: &'static str,
    /// A paragraph more.
    pub(super) description: &'static [&'static str],
    /// Packages without which the program does not work, beside the libraries that it was linked with.
    pub(super) depends: &'static [&'static str],
    /// Programs that it starts where a trap has the part for them.
    pub(super) recommends: &'static [&'static str],
    /// Folder of the scripts, below `systemd/deb`.
    pub(super) folder: &'static str,
    /// From where in the repository, and to where.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// From where in the repository, and to where; the administrator's own from then on.
    pub(super) settings: (&'static str, &'static str),
    /// Whether the file in the repository is a program.
    pub(super) programs: &'static [&'static str],
    /// What is said aside for lintian, with the reason.
    pub(super) overrides: &'static [(&'static str, &'static str)],
}

/// What a package of a system with systemd needs for its scripts.
const SYSTEM: [&str; 1] = ["systemd (>= 252)"];

const AGENT: Contents = Contents {
    name: "trapline-agent",
    summary: "agent of an insect camera trap",
    description: &[
        "Takes pictures of a sticky card by schedule, finds the insects on them with a",
        "quantized network, keeps everything in a ledger that survives power cuts, and",
        "hands it to a Trapline server whenever there is a link.",
    ],
    depends: &["ca-certificates", "debconf (>= 0.5) | debconf-2.0"],
    recommends: &[
        "polkitd",
        "util-linux-extra",
        "rpicam-apps-lite | rpicam-apps",
        "raspi-utils",
    ],
    folder: "agent",
    files: &[
        (
            "systemd/trapline-agent.service",
            "usr/lib/systemd/system/trapline-agent.service",
        ),
        (
            "systemd/trapline-agent-safe.service",
            "usr/lib/systemd/system/trapline-agent-safe.service",
        ),
        (
            "systemd/trapline-clock@.service",
            "usr/lib/systemd/system/trapline-clock@.service",
        ),
        (
            "systemd/trapline-card.service",
            "usr/lib/systemd/system/trapline-card.service",
        ),
        (
            "systemd/trapline-status.service",
            "usr/lib/systemd/system/trapline-status.service",
        ),
        (
            "systemd/trapline-status.timer",
            "usr/lib/systemd/system/trapline-status.timer",
        ),
        (
            "systemd/trapline-hotspot.service",
            "usr/lib/systemd/system/trapline-hotspot.service",
        ),
        (
            "systemd/trapline-hotspot.timer",
            "usr/lib/systemd/system/trapline-hotspot.timer",
        ),
        (
            "systemd/trapline-trial.service",
            "usr/lib/systemd/system/trapline-trial.service",
        ),
        (
            "systemd/trapline-update.path",
            "usr/lib/systemd/system/trapline-update.path",
        ),
        (
            "systemd/trapline-update.service",
            "usr/lib/systemd/system/trapline-update.service",
        ),
        (
            "systemd/trapline-usb-update@.service",
            "usr/lib/systemd/system/trapline-usb-update@.service",
        ),
        (
            "systemd/udev/71-trapline-update.rules",
            "usr/lib/udev/rules.d/71-trapline-update.rules",
        ),
        (
            "systemd/trapline-take-back.service",
            "usr/lib/systemd/system/trapline-take-back.service",
        ),
        (
            "systemd/system-shutdown/trapline",
            "usr/lib/systemd/system-shutdown/trapline",
        ),
        (
            "systemd/udev/70-trapline.rules",
            "usr/lib/udev/rules.d/70-trapline.rules",
        ),
        (
            "systemd/polkit/50-trapline.rules",
            "usr/share/polkit-1/rules.d/50-trapline.rules",
        ),
        (
            "systemd/sysusers.d/trapline-agent.conf",
            "usr/lib/sysusers.d/trapline-agent.conf",
        ),
        (
            "systemd/tmpfiles.d/trapline-agent.conf",
            "usr/lib/tmpfiles.d/trapline-agent.conf",
        ),
        (
            "agent/src/agent.default.toml",
            "usr/share/doc/trapline-agent/agent.default.toml",
        ),
        ("docs/CARD.md", "usr/share/doc/trapline-agent/CARD.md.gz"),
        (
            "docs/FIELD-GUIDE.md",
            "usr/share/doc/trapline-agent/FIELD-GUIDE.md.gz",
        ),
        (
            "systemd/deb/agent/trapline-agent.1",
            "usr/share/man/man1/trapline-agent.1.gz",
        ),
    ],
    settings: ("systemd/deb/agent/agent.toml", "etc/trapline/agent.toml"),
    programs: &["systemd/system-shutdown/trapline"],
    overrides: &[(
        "embedded-library",
        "SQLite is built in, so that the ledger meets the very version that its tests met",
    )],
};

const SERVER: Contents = Contents {
    name: "trapline-server",
    summary: "receives from insect camera traps and shows what they saw",
    description: &[
        "Receives pictures and records from Trapline traps, proves to them what it",
        "stored, and shows it to researchers in a browser. One program with a database",
        "of its own; for more than one machine put a proxy that speaks https in front.",
    ],
    depends: &["debconf (>= 0.5) | debconf-2.0"],
    recommends: &[],
    folder: "server",
    files: &[
        (
            "systemd/trapline-server.service",
            "usr/lib/systemd/system/trapline-server.service",
        ),
        (
            "systemd/sysusers.d/trapline-server.conf",
            "usr/lib/sysusers.d/trapline-server.conf",
        ),
        (
            "systemd/tmpfiles.d/trapline-server.conf",
            "usr/lib/tmpfiles.d/trapline-server.conf",
        ),
        (
            "docs/SERVER-GUIDE.md",
            "usr/share/doc/trapline-server/SERVER-GUIDE.md.gz",
        ),
        (
            "systemd/deb/server/trapline-server.1",
            "usr/share/man/man1/trapline-server.1.gz",
        ),
    ],
    settings: ("systemd/deb/server/server.toml", "etc/trapline/server.toml"),
    programs: &[],
    overrides: &[(
        "embedded-library",
        "SQLite is built in, so that the database meets the very version that its tests met",
    )],
};

impl Contents {
    /// The package of a program.
    pub(super) fn of(part: Part) -> &'static Self {
        match part {
            Part::Agent => &AGENT,
            Part::Server => &SERVER,
        }
    }

    /// Everything that the package needs, `libraries` among them.
    pub(super) fn all_depends(&self, libraries: &[String]) -> String {
        let mut all = libraries.to_vec();
        all.extend(
            SYSTEM
                .iter()
                .chain(self.depends)
                .map(|&name| name.to_owned()),
        );
        all.join(", ")
    }
}
