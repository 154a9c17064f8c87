//! Who may import whom, and which crate owns which foreign crate.

use super::Complaint;
use crate::{build, process};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::path::Path;

/// The layers of the house: a crate and the house crates it may import.
const EDGES: &[(&str, &[&str])] = &[
    ("trapline-wire", &[]),
    ("trapline-hal", &[]),
    ("trapline-qconv", &[]),
    ("trapline-detect", &["trapline-qconv"]),
    ("trapline-store", &["trapline-wire"]),
    (
        "trapline-agent",
        &[
            "trapline-wire",
            "trapline-hal",
            "trapline-store",
            "trapline-detect",
        ],
    ),
    ("trapline-server", &["trapline-wire", "trapline-detect"]),
    (
        "trapline-sim",
        &[
            "trapline-wire",
            "trapline-hal",
            "trapline-store",
            "trapline-detect",
            "trapline-agent",
            "trapline-server",
        ],
    ),
    ("trapline-flash", &["trapline-wire"]),
    ("trapline-rig", &[]),
    ("xtask", &["trapline-detect"]),
];

/// A foreign crate and the house crates that may name it outside their tests.
const OWNERS: &[(&str, &[&str])] = &[
    ("rppal", &["trapline-hal"]),
    ("gpiocdev", &["trapline-hal"]),
    ("nokhwa", &["trapline-hal"]),
    ("linux-embedded-hal", &["trapline-hal"]),
    ("embedded-hal", &["trapline-hal"]),
    (
        "embedded-graphics",
        &["trapline-hal", "trapline-agent", "trapline-rig"],
    ),
    ("vhost-user-backend", &["trapline-rig"]),
    (
        "qrcodegen",
        &["trapline-agent", "trapline-server", "trapline-flash"],
    ),
    ("fatfs", &["trapline-flash"]),
    ("lzma-rust2", &["trapline-flash"]),
    ("tract-onnx", &["trapline-detect"]),
    ("zune-jpeg", &["trapline-detect"]),
    ("jpeg-decoder", &["trapline-detect"]),
    ("rusqlite", &["trapline-store", "trapline-server"]),
    ("reqwest", &["trapline-agent"]),
    ("ring", &["trapline-wire"]),
    (
        "axum",
        &["trapline-server", "trapline-agent", "trapline-sim"],
    ),
    ("argon2", &["trapline-server"]),
    ("image", &["trapline-server"]),
    ("rust-embed", &["trapline-server"]),
    (
        "jpeg-encoder",
        &["trapline-hal", "trapline-agent", "trapline-sim"],
    ),
    (
        "systemd-journal-logger",
        &["trapline-agent", "trapline-server"],
    ),
    ("sd-notify", &["trapline-agent", "trapline-server"]),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    let mut command = build::cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let text = process::output(command.current_dir(root))?;
    let metadata: Metadata =
        serde_json::from_str(&text).context("cargo metadata changed its form")?;
    Ok(metadata.packages.iter().flat_map(complaints_of).collect())
}

fn complaints_of(package: &Package) -> Vec<Complaint> {
    let name = package.name.as_str();
    let Some((_, may_import)) = EDGES.iter().find(|(house, _)| *house == name) else {
        return vec![format!(
            "{name} is no crate of the house: add it to the plan, or take it out"
        )];
    };
    let shipped = package
        .dependencies
        .iter()
        .filter(|d| d.kind.as_deref() != Some("dev"));
    let mut complaints = Vec::new();
    for dependency in shipped.map(|d| d.name.as_str()) {
        let of_the_house = EDGES.iter().any(|(house, _)| *house == dependency);
        if of_the_house && !may_import.contains(&dependency) {
            complaints.push(format!(
                "{name} imports {dependency}, against the layers of docs/ARCHITECTURE.md"
            ));
        }
        let owners = OWNERS.iter().find(|(foreign, _)| *foreign == dependency);
        if let Some((_, owners)) = owners
            && !owners.contains(&name)
        {
            complaints.push(format!(
                "{name} imports {dependency}, which belongs to {}",
                owners.join(" and ")
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str, kind: Option<&str>) -> Package {
        let kind = kind.map(str::to_owned);
        Package {
            name: name.to_owned(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                kind,
            }],
        }
    }

    #[test]
    fn an_import_against_the_layers_is_said() {
        let upwards = complaints_of(&package("trapline-detect", "trapline-store", None));
        assert_eq!(upwards.len(), 1, "{upwards:?}");
        let foreign = complaints_of(&package("trapline-store", "reqwest", None));
        assert_eq!(foreign.len(), 1, "{foreign:?}");
    }

    #[test]
    fn tests_may_borrow() {
        let borrowed = complaints_of(&package("trapline-agent", "axum", Some("dev")));
        assert_eq!(borrowed, Vec::<Complaint>::new());
    }
}
