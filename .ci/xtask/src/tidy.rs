//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! Each rule looks at the tree and returns complaints; none changes a file,
//! but `--bless` records what is shipped now.

mod blessed;
mod edges;
mod rooms;
mod text;
mod tree;

use crate::{process, say};
use anyhow::{Result, bail};
use std::path::Path;

/// Something that breaks a rule, with its place and the remedy.
type Complaint = String;

pub(crate) fn run(bless: bool) -> Result<()> {
    let root = process::root();
    if bless {
        blessed::bless(&root)?;
    }
    let (complaints, advice) = inspect(&root)?;
    for line in &advice {
        say::line(&format!("advice: {line}"));
    }
    for line in &complaints {
        say::line(&format!("tidy: {line}"));
    }
    if complaints.is_empty() {
        say::line("tidy: the house is in order");
        return Ok(());
    }
    bail!("tidy found {} place(s) to mend", complaints.len())
}

fn inspect(root: &Path) -> Result<(Vec<Complaint>, Vec<Complaint>)> {
    let tree = tree::Tree::read(root)?;
    let mut complaints = edges::check(root)?;
    complaints.extend(rooms::check(&tree));
    complaints.extend(text::check(&tree));
    complaints.extend(blessed::check(&tree));
    Ok((complaints, rooms::advice(&tree)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_in_order() {
        let (complaints, _) = inspect(&process::root()).unwrap();
        assert_eq!(complaints, Vec::<Complaint>::new());
    }
}
