//! The modules of the guest's kernel: Debian's own, and four that Debian does not build, compiled from Debian's sources.

use crate::process;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the guest loads, what each needs before it.
pub(super) const WANTED: [&str; 6] = [
    "virtio_net",
    "i2c_dev",
    "i2c_virtio",
    "gpio_sim",
    "v4l2loopback",
    "sch_netem",
];

/// The folders of unpacked packages, and the kernel's release.
pub(crate) struct Sources<'a> {
    pub(crate) unpacked: &'a Path,
    pub(crate) release: &'a str,
    /// The release of the tools that compile modules: the kernel's own, or of this machine's Debian.
    pub(crate) tools_release: &'a str,
}

impl Sources<'_> {
    /// Compiles what Debian does not, into `work`; gives the folder of the `.ko` files.
    pub(crate) fn compile(&self, work: &Path) -> Result<PathBuf> {
        let out = work.join("modules");
        std::fs::create_dir_all(&out)?;
        self.take_sources(work, &out)?;
        let headers = self.headers()?;
        let mut command = Command::new("make");
        command
            .arg("-s")
            .arg("-C")
            .arg(&headers)
            .arg(format!("M={}", out.display()))
            .args(["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"])
            .args(["CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
            .arg(format!("CC={}", self.compiler(&headers)));
        if self.tools_release != base(self.release) {
            // An option that the compiler of an older Debian does not know.
            command.arg("CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=");
        }
        // What the compiler says of other people's sources is of interest only when it fails.
        process::output(&mut command)?;
        Ok(out)
    }

    fn take_sources(&self, work: &Path, out: &Path) -> Result<()> {
        let archive = self.unpacked.join("usr/src/linux-source-6.12.tar.xz");
        let names = [
            "linux-source-6.12/drivers/i2c/busses/i2c-virtio.c",
            "linux-source-6.12/drivers/gpio/gpio-sim.c",
            "linux-source-6.12/kernel/irq/irq_sim.c",
        ];
        let mut command = Command::new("tar");
        command
            .arg("-C")
            .arg(work)
            .arg("-xJf")
            .arg(archive)
            .args(names);
        process::run(&mut command)?;
        let [i2c, gpio, irq] = names.map(|name| std::fs::read_to_string(work.join(name)));
        // The driver reports a part that did not acknowledge as a message fewer, which user space cannot see; the
        // driver of a Pi reports an error.
        let count = "count = virtio_i2c_complete_reqs(vq, reqs, msgs, count);";
        let told = format!("{count}\n\tif (count < num)\n\t\tcount = -EREMOTEIO;");
        std::fs::write(out.join("i2c-virtio.c"), changed(&i2c?, count, &told)?)?;
        // A function that is not exported to modules, and the one that does the same and is.
        let inner = "handle_simple_irq(irq_to_desc(irqnum));";
        let outer = "generic_handle_irq(irqnum);";
        std::fs::write(out.join("irq_sim.c"), changed(&irq?, inner, outer)?)?;
        std::fs::write(out.join("gpio-sim-main.c"), gpio?)?;
        let loopback = child(&self.unpacked.join("usr/src"), "v4l2loopback")?;
        for entry in std::fs::read_dir(loopback)?.flatten() {
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|ending| ending == "c" || ending == "h")
            {
                std::fs::copy(&path, out.join(entry.file_name()))?;
            }
        }
        // The old name of a function in a driver that is older than this kernel.
        let build = "CFLAGS_v4l2loopback.o := -Dstrlcpy=strscpy\n\
                     obj-m := i2c-virtio.o gpio-sim.o v4l2loopback.o\n\
                     gpio-sim-y := gpio-sim-main.o irq_sim.o\n";
        std::fs::write(out.join("Kbuild"), build)?;
        Ok(())
    }

    /// The headers' folder, with the paths that point into an installed system pointing into this one.
    fn headers(&self) -> Result<PathBuf> {
        let all = self.unpacked.join("usr/src");
        let (release, base) = (self.release, base(self.release));
        let own = all.join(format!("linux-headers-{release}"));
        let shared = all.join(format!("linux-headers-{base}-common"));
        let makefile = own.join("Makefile");
        let text = std::fs::read_to_string(&makefile)?;
        let include = format!("include /usr/src/linux-headers-{base}-common/Makefile");
        let here = format!("include {}/Makefile", shared.display());
        if text.contains(&include) {
            std::fs::write(&makefile, text.replace(&include, &here))?;
        }
        let tools = self
            .unpacked
            .join(format!("usr/lib/linux-kbuild-{}", self.tools_release));
        for folder in [&own, &shared] {
            for name in ["scripts", "tools"] {
                let link = folder.join(name);
                if link.is_symlink() {
                    std::fs::remove_file(&link)?;
                }
                std::os::unix::fs::symlink(tools.join(name), &link)
                    .with_context(|| format!("cannot link {}", link.display()))?;
            }
        }
        Ok(own)
    }

    /// The compiler that Debian built this kernel with, where the desk has it; another one of the same family does.
    fn compiler(&self, headers: &Path) -> String {
        let config = std::fs::read_to_string(headers.join(".config")).unwrap_or_default();
        let line = config
            .lines()
            .find(|line| line.starts_with("CONFIG_CC_VERSION_TEXT="));
        let named = line.and_then(|line| {
            let from = line.find("gcc-")?;
            line.get(from..)?.split_whitespace().next()
        });
        let exact = named.map(|named| format!("aarch64-linux-gnu-{named}"));
        exact
            .filter(|compiler| crate::setup::found(compiler))
            .unwrap_or_else(|| "aarch64-linux-gnu-gcc".to_owned())
    }

    /// The `.ko` files that the guest loads, in the order in which they need each other, ready to load.
    pub(super) fn gather(&self, compiled: &Path, into: &Path) -> Result<Vec<String>> {
        std::fs::create_dir_all(into)?;
        let debians = self.unpacked.join("lib/modules").join(self.release);
        let mut files = BTreeMap::new();
        let later = Path::new("usr/lib/modules").join(self.release);
        for root in [debians, self.unpacked.join(later), compiled.to_owned()] {
            collect(&root, &mut files)?;
        }
        let mut order = Vec::new();
        for name in WANTED {
            self.take(name, &files, into, &mut order)?;
        }
        Ok(order)
    }

    fn take(
        &self,
        name: &str,
        files: &BTreeMap<String, PathBuf>,
        into: &Path,
        order: &mut Vec<String>,
    ) -> Result<()> {
        let file = format!("{name}.ko");
        if order.contains(&file) {
            return Ok(());
        }
        let Some(path) = files.get(name) else {
            // Part of the kernel itself.
            return Ok(());
        };
        let own = into.join(&file);
        if path.extension().is_some_and(|ending| ending == "xz") {
            let unpacked = Command::new("xz").arg("-dc").arg(path).output()?;
            if !unpacked.status.success() {
                bail!("cannot unpack {}", path.display());
            }
            std::fs::write(&own, unpacked.stdout)?;
        } else {
            let mut strip = Command::new("aarch64-linux-gnu-strip");
            process::run(strip.arg("-g").arg("-o").arg(&own).arg(path))?;
        }
        for needed in needs(&std::fs::read(&own)?) {
            self.take(&needed, files, into, order)?;
        }
        order.push(file);
        Ok(())
    }
}

/// A kernel's release without its processor, by which its headers and tools are called.
fn base(release: &str) -> &str {
    release.trim_end_matches("-arm64")
}

/// Replaces the one place where `text` says `old`.
fn changed(text: &str, old: &str, new: &str) -> Result<String> {
    if text.matches(old).count() != 1 {
        bail!("Debian's source has changed where the rig changes it: `{old}`");
    }
    Ok(text.replace(old, new))
}

/// The folder below `parent` whose name begins so.
fn child(parent: &Path, beginning: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(parent)?;
    let found = entries
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    Ok(found
        .with_context(|| format!("no {beginning} in {}", parent.display()))?
        .path())
}

/// All modules below a folder by name.
fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".ko.xz").or(name.strip_suffix(".ko")) {
            files.insert(stem.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// The modules that a module names as needed before it.
fn needs(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|bytes| bytes == key) else {
        return Vec::new();
    };
    let names = module
        .iter()
        .skip(at + key.len())
        .take_while(|byte| **byte != 0);
    let names: Vec<u8> = names.copied().collect();
    let names = String::from_utf8_lossy(&names).replace('-', "_");
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_needs() {
        let module = b"license=GPL\0depends=net_failover,i2c-core\0name=x\0";
        assert_eq!(needs(module), ["net_failover", "i2c_core"]);
        assert_eq!(needs(b"license=GPL\0depends=\0"), Vec::<String>::new());
    }

    #[test]
    fn a_source_that_is_not_the_one_we_know_is_refused() {
        assert_eq!(changed("a b c", "b", "d").unwrap(), "a d c");
        assert!(changed("a c", "b", "d").is_err());
    }
}
