//! Where this machine gets Debian from, for a release that it does not run itself.
//!
//! The mirror is read from the machine's own apt at the moment of building and stands nowhere else.

use crate::process;
use anyhow::{Context as _, Result};
use std::process::Command;

/// The release that traps run.
pub(super) const SUITE: &str = "trixie";

/// The lines of a `sources.list` for that release, from the mirrors that this machine uses.
pub(super) fn sources() -> Result<String> {
    let mut command = Command::new("apt-get");
    let format = "$(SITE) $(RELEASE) $(LABEL)";
    command.args(["indextargets", "--format", format, "Created-By: Packages"]);
    let text = process::output(&mut command)
        .context("an image is made of Debian's packages, and this machine has no apt")?;
    let sources = lines(&text);
    sources.context("this machine's apt names no mirror of Debian")
}

/// From what apt says of its own sources: site, release and label of each.
fn lines(targets: &str) -> Option<String> {
    let site = |wanted: &str| {
        targets.lines().find_map(|line| {
            let (site, rest) = line.split_once(' ')?;
            let (_, label) = rest.split_once(' ')?;
            (label == wanted).then(|| site.to_owned())
        })
    };
    let components = "main non-free-firmware";
    let main = site("Debian")?;
    let mut text =
        format!("deb {main} {SUITE} {components}\ndeb {main} {SUITE}-updates {components}\n");
    if let Some(security) = site("Debian-Security") {
        text.push_str(&format!("deb {security} {SUITE}-security {components}\n"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_mirror_serves_the_traps_release() {
        let targets = "http://a.example/tools any Other\nhttp://b.example/debian bookworm Debian\n\
             http://b.example/security bookworm-security Debian-Security\n";
        let expected = "deb http://b.example/debian trixie main non-free-firmware\n\
             deb http://b.example/debian trixie-updates main non-free-firmware\n\
             deb http://b.example/security trixie-security main non-free-firmware\n";
        assert_eq!(lines(targets).as_deref(), Some(expected));
        assert_eq!(lines("http://a.example/tools any Other\n"), None);
    }
}
