//! What lies beside an image: the compressed file, a manifest with hashes, the list of everything inside (SPDX), and
//! what Raspberry Pi Imager reads.

use super::Made;
use super::lock::Part;
use super::shelf::Versions;
use crate::{process, say};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

/// Compresses the disk, hashes everything, and writes the papers.
pub(super) fn write(made: &Made) -> Result<()> {
    let out = &made.out;
    let name = format!("trapline-{}-{}", made.version, made.board.word());
    let disk = out.join("disk.img");
    let image = out.join(format!("{name}.img.xz"));
    compress(&disk, &image)?;
    let (disk_file, image_file) = (file(&disk)?, file(&image)?);
    let text =
        |name: &str| std::fs::read_to_string(out.join(name)).map(|text| text.trim().to_owned());
    let root_mb: u64 = text("root-mb")?.parse()?;
    let kernel = text("kernel")?;
    let bill = out.join(format!("{name}.spdx.json"));
    write_json(&bill, &spdx(made, &name)?)?;
    let manifest = json!({
        "name": name,
        "version": made.version,
        "board": made.board.word(),
        "compatible": "trapline-arm64",
        "built": made.epoch_s,
        "kernel": kernel,
        "root_mb": root_mb,
        "files": {
            "image": image_file,
            "disk": disk_file,
            "slot": file(&out.join("slot.img"))?,
            "bill_of_materials": file(&bill)?,
        },
        "packages": packages(made),
    });
    write_json(&out.join(format!("{name}.manifest.json")), &manifest)?;
    write_json(
        &out.join("os_list.json"),
        &imager(made, &name, &disk_file, &image_file),
    )?;
    for part in ["root-mb", "dpkg-status"] {
        std::fs::remove_file(out.join(part))?;
    }
    let megabytes =
        |value: &Value| value.get("size").and_then(Value::as_u64).unwrap_or(0) / 1_000_000;
    say::line(&format!("{}", image.display()));
    say::line(&format!(
        "{} MB compressed, {} MB on the card, root file system {root_mb} MiB, kernel {kernel}",
        megabytes(&image_file),
        megabytes(&disk_file)
    ));
    let hash = |value: &Value| {
        value
            .get("sha256")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    say::line(&format!(
        "sha256 {} (disk {})",
        hash(&image_file),
        hash(&disk_file)
    ));
    Ok(())
}

/// Blocks of fixed size give the same bytes on any number of processors.
fn compress(disk: &Path, image: &Path) -> Result<()> {
    let output = std::fs::File::create(image)?;
    let mut command = Command::new("xz");
    command
        .args([
            "--stdout",
            "--threads=2",
            "--block-size=24MiB",
            "--check=crc64",
            "-6",
        ])
        .arg(disk)
        .stdout(output);
    process::run(&mut command)
}

/// Name, size and hash of a file.
fn file(path: &Path) -> Result<Value> {
    let mut reader = std::fs::File::open(path).with_context(|| format!("no {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    let mut block = vec![0; 1 << 20];
    loop {
        let count = reader.read(&mut block)?;
        let Some(read) = block.get(..count).filter(|read| !read.is_empty()) else {
            break;
        };
        hash.update(read);
        size += u64::try_from(count)?;
    }
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(json!({ "name": name, "size": size, "sha256": hex }))
}

fn packages(made: &Made) -> Value {
    json!({
        Part::Root.word(): made.root,
        Part::Tools.word(): made.tools,
        Part::Boot.word(): made.boot,
    })
}

/// The bill of materials in the form SPDX 2.3: Debian's packages from the image's own record, crates from Cargo.lock.
fn spdx(made: &Made, name: &str) -> Result<Value> {
    let mut packages = Vec::new();
    for (kind, versions) in [("root", &made.root), ("boot", &made.boot)] {
        packages.extend(debian(kind, versions));
    }
    let lock = std::fs::read_to_string(process::root().join("Cargo.lock"))?;
    packages.extend(crates(&lock)?);
    let relationships: Vec<Value> = packages
        .iter()
        .map(|package| {
            json!({
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": package.get("SPDXID"),
            })
        })
        .collect();
    Ok(json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": format!("urn:trapline:{name}:{}", made.epoch_s),
        "creationInfo": {
            "created": moment(made.epoch_s)?,
            "creators": ["Tool: cargo-xtask-image"],
        },
        "packages": packages,
        "relationships": relationships,
    }))
}

fn debian(kind: &str, versions: &Versions) -> Vec<Value> {
    let one = |(name, version): (&String, &String)| {
        let url = format!(
            "pkg:deb/debian/{name}@{version}?arch=arm64&distro={}",
            super::mirror::SUITE
        );
        package(&format!("deb-{kind}-{name}"), name, version, &url)
    };
    versions.iter().map(one).collect()
}

fn crates(lock: &str) -> Result<Vec<Value>> {
    let lock: toml::Table = toml::from_str(lock)?;
    let listed = lock.get("package").and_then(toml::Value::as_array);
    let mut found = Vec::new();
    for entry in listed.context("Cargo.lock names no packages")? {
        let word = |name| entry.get(name).and_then(toml::Value::as_str);
        if let (Some(name), Some(version)) = (word("name"), word("version")) {
            let url = format!("pkg:cargo/{name}@{version}");
            found.push(package(
                &format!("crate-{name}-{version}"),
                name,
                version,
                &url,
            ));
        }
    }
    Ok(found)
}

fn package(id: &str, name: &str, version: &str, url: &str) -> Value {
    let id: String = id
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '.' {
                letter
            } else {
                '-'
            }
        })
        .collect();
    json!({
        "SPDXID": format!("SPDXRef-{id}"),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        }],
    })
}

/// What Raspberry Pi Imager takes as a list of systems; the address is relative to where the file is served.
fn imager(made: &Made, name: &str, disk: &Value, image: &Value) -> Value {
    json!({
        "os_list": [{
            "name": format!("Trapline {} ({})", made.version, made.board.word()),
            "description": "Camera trap for insects; name, network and server come from trapline.toml on the card",
            "url": format!("{name}.img.xz"),
            "extract_size": disk.get("size"),
            "extract_sha256": disk.get("sha256"),
            "image_download_size": image.get("size"),
            "image_download_sha256": image.get("sha256"),
            "release_date": moment(made.epoch_s).unwrap_or_default().get(..10),
            "init_format": "none",
            "devices": made.board.imager_devices(),
        }]
    })
}

/// Seconds since 1970 as `2026-07-01T12:00:00Z`.
fn moment(epoch_s: u64) -> Result<String> {
    let mut command = Command::new("date");
    command.args(["-u", "-d", &format!("@{epoch_s}"), "+%Y-%m-%dT%H:%M:%SZ"]);
    Ok(process::output(&mut command)?.trim().to_owned())
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    std::fs::write(path, text)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_names_crates_and_packages_by_their_urls() {
        let lock = "[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\n";
        let found = crates(lock).unwrap();
        assert_eq!(found[0]["SPDXID"], "SPDXRef-crate-serde-1.0.1");
        let versions = Versions::from([("libc6".to_owned(), "2.41-1".to_owned())]);
        let found = debian("root", &versions);
        let url = &found[0]["externalRefs"][0]["referenceLocator"];
        assert_eq!(url, "pkg:deb/debian/libc6@2.41-1?arch=arm64&distro=trixie");
    }

    #[test]
    fn a_moment_is_written_as_the_standard_wants() {
        assert_eq!(moment(0).unwrap(), "1970-01-01T00:00:00Z");
    }
}
