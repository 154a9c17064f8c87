//! What a package says about itself: its control file, its changelog, its scripts.

use super::contents::Contents;
use super::tree::Tree;
use super::{Arch, Edition};
use crate::cross::needs::Needs;
use crate::process;
use anyhow::Result;
use std::fmt::Write as _;
use std::process::Command;

/// Scripts and templates that a package may have.
const SCRIPTS: [(&str, u32); 5] = [
    ("config", 0o755),
    ("postinst", 0o755),
    ("prerm", 0o755),
    ("postrm", 0o755),
    ("templates", 0o644),
];

/// Writes everything that describes the package; its other files stand already.
pub(super) fn write(tree: &Tree, contents: &Contents, arch: Arch, edition: &Edition) -> Result<()> {
    let folder = process::root().join("systemd/deb").join(contents.folder);
    for (name, mode) in SCRIPTS {
        tree.copy(&folder.join(name), &format!("DEBIAN/{name}"), mode)?;
    }
    tree.write(
        "DEBIAN/conffiles",
        &format!("/{}\n", contents.settings.1),
        0o644,
    )?;
    let files = tree.files()?;
    let mut sums = Command::new("md5sum");
    // The settings belong to the administrator and may differ.
    let own = files.iter().filter(|name| *name != contents.settings.1);
    let sums = process::output(sums.current_dir(tree.path("")).args(own))?;
    tree.write("DEBIAN/md5sums", &sums, 0o644)?;
    let mut size_kib = 0;
    for file in &files {
        // As dpkg counts: whole kibibytes, and one for each file's entry.
        size_kib += std::fs::metadata(tree.path(file))?.len().div_ceil(1024) + 1;
    }
    let needs = Needs::of(&tree.path(&format!("usr/bin/{}", contents.name)))?;
    needs.check(contents.name)?;
    let text = control(contents, arch, edition, &needs.packages()?, size_kib)?;
    tree.write("DEBIAN/control", &text, 0o644)
}

fn control(
    contents: &Contents,
    arch: Arch,
    edition: &Edition,
    libraries: &[String],
    size_kib: u64,
) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "Package: {}", contents.name)?;
    writeln!(text, "Version: {}", edition.version)?;
    writeln!(text, "Architecture: {}", arch.name())?;
    writeln!(text, "Maintainer: {}", maintainer())?;
    writeln!(text, "Installed-Size: {size_kib}")?;
    writeln!(text, "Depends: {}", contents.all_depends(libraries))?;
    if !contents.recommends.is_empty() {
        writeln!(text, "Recommends: {}", contents.recommends.join(", "))?;
    }
    writeln!(text, "Section: science")?;
    writeln!(text, "Priority: optional")?;
    writeln!(text, "Description: {}", contents.summary)?;
    for line in contents.description {
        writeln!(text, " {line}")?;
    }
    Ok(text)
}

/// Who answers for the package, named as Debian's own tools name them.
fn maintainer() -> String {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = said("DEBFULLNAME").unwrap_or_else(|| "Trapline".to_owned());
    let address = said("DEBEMAIL").unwrap_or_else(|| "trapline@example.org".to_owned());
    format!("{name} <{address}>")
}

/// One entry: the commit that the package is made of.
pub(super) fn changelog(contents: &Contents, edition: &Edition) -> String {
    format!(
        "{} ({}) unstable; urgency=medium\n\n  * {}\n\n -- {}  {}\n",
        contents.name,
        edition.version,
        edition.subject,
        maintainer(),
        edition.date
    )
}

/// What is said aside for lintian, each with its reason.
pub(super) fn overrides(contents: &Contents) -> String {
    let lines = contents
        .overrides
        .iter()
        .map(|(tag, reason)| format!("# {reason}.\n{}: {tag}\n", contents.name));
    lines.collect()
}
