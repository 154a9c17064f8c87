//! What a built program asks of the system that starts it: libraries, and how new the C library must be.

use crate::{process, setup};
use anyhow::{Result, bail};
use std::fmt;
use std::path::Path;
use std::process::Command;

/// The C library of the previous release of Debian and of Raspberry Pi OS (bookworm); trixie has 2.41.
pub(crate) const OLDEST: Glibc = Glibc(2, 36);
/// The libraries that every such system has, and the package of each.
const PACKAGES: [(&str, &str); 4] = [
    ("libc.so.6", "libc6"),
    ("libm.so.6", "libc6"),
    ("ld-linux", "libc6"),
    ("libgcc_s.so.1", "libgcc-s1"),
];

/// A version of the GNU C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc(u32, u32);

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What a program asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Names of shared libraries, as the linker wrote them.
    pub(crate) libraries: Vec<String>,
    glibc: Glibc,
}

impl Needs {
    /// Reads it from the program's own tables.
    pub(crate) fn of(program: &Path) -> Result<Self> {
        setup::need_readelf()?;
        let mut command = Command::new("readelf");
        command
            .args(["--wide", "--dynamic", "--version-info"])
            .arg(program);
        // Its words are looked for in what it prints.
        let text = process::output(command.env("LC_ALL", "C"))?;
        Ok(Self::read(&text))
    }

    fn read(text: &str) -> Self {
        let named = |line: &str| {
            let rest = line.split_once("(NEEDED)")?.1;
            let name = rest.split_once('[')?.1.split_once(']')?.0;
            Some(name.to_owned())
        };
        let asked = |line: &str| {
            let version = line
                .split_once("Name: GLIBC_")?
                .1
                .split_whitespace()
                .next()?;
            let mut numbers = version.split('.').map(str::parse);
            Some(Glibc(numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        Self {
            libraries: text.lines().filter_map(named).collect(),
            glibc: text.lines().filter_map(asked).max().unwrap_or(Glibc(2, 0)),
        }
    }

    /// The oldest C library that has everything the program asks for.
    pub(crate) fn floor(&self) -> Glibc {
        self.glibc
    }

    /// # Errors
    /// The program would not start on a system that it is for.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        if self.glibc > OLDEST {
            bail!(
                "{name} asks for glibc {}, and the previous Debian has {OLDEST}: build it there, or with an older linker",
                self.glibc
            );
        }
        self.packages().map(drop)
    }

    /// Debian's packages of the libraries, each as new as needed.
    ///
    /// # Errors
    /// A library is asked for that is not on every system.
    pub(crate) fn packages(&self) -> Result<Vec<String>> {
        let mut packages = Vec::new();
        for library in &self.libraries {
            let known = PACKAGES
                .iter()
                .find(|(start, _)| library.starts_with(start));
            let package = match known {
                Some((_, "libc6")) => format!("libc6 (>= {})", self.glibc),
                Some((_, package)) => (*package).to_owned(),
                None => bail!("the program asks for {library}, which no trap is known to have"),
            };
            packages.push(package);
        }
        packages.sort();
        packages.dedup();
        Ok(packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
 0x0000000000000001 (NEEDED)             Shared library: [libgcc_s.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [ld-linux-aarch64.so.1]
  0x0050:   Name: GCC_3.3  Flags: none  Version: 19
  0x0080:   Name: GLIBC_2.9  Flags: none  Version: 11
  0x00a0:   Name: GLIBC_2.34  Flags: none  Version: 9
  0x00a0:   Name: GLIBC_2.2.5  Flags: none  Version: 2";

    #[test]
    fn the_newest_version_counts_by_its_numbers() {
        let needs = Needs::read(TEXT);
        assert_eq!(needs.floor(), Glibc(2, 34));
        assert_eq!(needs.packages().unwrap(), ["libc6 (>= 2.34)", "libgcc-s1"]);
        assert!(needs.check("it").is_ok());
    }

    #[test]
    fn what_a_trap_has_not_is_refused() {
        let newer = Needs::read(&TEXT.replace("2.34", "2.38"));
        assert!(newer.check("it").is_err());
        let other = Needs::read(&TEXT.replace("libgcc_s.so.1", "libssl.so.3"));
        assert!(other.check("it").is_err());
    }
}
