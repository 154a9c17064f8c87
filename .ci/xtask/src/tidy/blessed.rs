//! What is shipped and must not change silently: the wire types, whose hash
//! stands in docs/PROTOCOL.md, and the schema files, listed in .ci/schemas.sha256.

use super::Complaint;
use super::tree::Tree;
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const WIRE: &str = "sync-server/wire/src/v1.rs";
/// The parts of `v1.rs`.
const WIRE_PARTS: &str = "sync-server/wire/src/v1/";
const PROTOCOL: &str = "docs/PROTOCOL.md";
const SCHEMAS: &str = ".ci/schemas.sha256";
const MARK_START: &str = "<!-- v1.rs sha256: ";
const MARK_END: &str = " -->";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let protocol = tree.text(PROTOCOL).unwrap_or_default();
    if documented(protocol) != Some(&digest(&wire(tree))) {
        complaints.push(format!(
            "{WIRE} changed: bring {PROTOCOL} up to date, then `cargo xtask tidy --bless`"
        ));
    }
    let shipped = tree.text(SCHEMAS).map(parse).unwrap_or_default();
    let present = schemas(tree);
    for (path, hash) in &shipped {
        match present.get(path) {
            Some(now) if now == hash => {}
            Some(_) => complaints.push(format!(
                "{path} is shipped and was changed: add a new schema file"
            )),
            None => complaints.push(format!("{path} is shipped and is missing")),
        }
    }
    for path in present.keys().filter(|path| !shipped.contains_key(*path)) {
        complaints.push(format!(
            "{path} is not recorded: `cargo xtask tidy --bless`"
        ));
    }
    complaints
}

/// Records the wire types and schema files as they are now.
pub(super) fn bless(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let protocol = tree.text(PROTOCOL).context("docs/PROTOCOL.md is missing")?;
    let Some((before, rest)) = protocol.split_once(MARK_START) else {
        bail!("{PROTOCOL} has no line `{MARK_START}…{MARK_END}`");
    };
    let (_, after) = rest
        .split_once(MARK_END)
        .context("the mark in docs/PROTOCOL.md does not end")?;
    let hash = digest(&wire(&tree));
    std::fs::write(
        root.join(PROTOCOL),
        format!("{before}{MARK_START}{hash}{MARK_END}{after}"),
    )?;
    let mut listing = String::new();
    for (path, hash) in schemas(&tree) {
        writeln!(listing, "{hash}  {path}")?;
    }
    std::fs::write(root.join(SCHEMAS), listing)?;
    Ok(())
}

/// The wire types: `v1.rs`, then its parts in the order of their names.
fn wire(tree: &Tree) -> String {
    let mut parts: Vec<_> = tree
        .files
        .iter()
        .filter(|file| file.path == WIRE || file.path.starts_with(WIRE_PARTS))
        .map(|file| (&file.path, file.text.as_deref().unwrap_or_default()))
        .collect();
    parts.sort_unstable();
    parts.into_iter().map(|(_, text)| text).collect()
}

fn documented(protocol: &str) -> Option<&str> {
    let (_, rest) = protocol.split_once(MARK_START)?;
    Some(rest.split_once(MARK_END)?.0)
}

fn schemas(tree: &Tree) -> BTreeMap<String, String> {
    let is_schema = |path: &str| path.contains("/schema/") && path.ends_with(".sql");
    let files = tree.files.iter().filter(|file| is_schema(&file.path));
    files
        .map(|file| {
            (
                file.path.clone(),
                digest(file.text.as_deref().unwrap_or_default()),
            )
        })
        .collect()
}

fn parse(listing: &str) -> BTreeMap<String, String> {
    let pairs = listing.lines().filter_map(|line| line.split_once("  "));
    pairs
        .map(|(hash, path)| (path.to_owned(), hash.to_owned()))
        .collect()
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_hash_is_found() {
        let page = format!("# Protocol\n{MARK_START}abc{MARK_END}\nText");
        assert_eq!(documented(&page), Some("abc"));
        assert_eq!(documented("no mark"), None);
    }

    #[test]
    fn a_listing_is_read_as_it_is_written() {
        let listing = parse("00ff  agent/store/src/schema/0001.sql\n");
        assert_eq!(
            listing
                .get("agent/store/src/schema/0001.sql")
                .map(String::as_str),
            Some("00ff")
        );
    }
}
