//! The commands around updates of whole traps: what they take and what they print.

use super::models::{Traps, meant, named};
use super::{print, say, write_out};
use crate::db::{Db, UpdateOfferRow};
use crate::state::system_clock;
use crate::updates::{self, Added};
use anyhow::bail;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use trapline_wire::v1::UpdateState;

#[derive(Subcommand)]
pub(super) enum UpdateCommand {
    /// Store a signed bundle, so that it can be offered
    Add {
        /// The bundle, `….raucb`
        bundle: PathBuf,
        /// Its version, where the bundle does not say it
        #[arg(long)]
        version: Option<String>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// List all updates, to which traps they are offered, and how far those are
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let traps fetch an update and install it; begin with one
    Offer {
        /// Version of the update
        version: String,
        #[command(flatten)]
        to: Traps,
    },
    /// Take an offer back; a trap that has installed it keeps it
    Withdraw {
        /// Version of the update
        version: String,
        #[command(flatten)]
        to: Traps,
    },
}

pub(super) fn update(command: UpdateCommand, data: &Path, db: &mut Db) -> anyhow::Result<()> {
    match command {
        UpdateCommand::Add {
            bundle,
            version,
            json,
        } => add(db, data, &bundle, (version.as_deref(), json)),
        UpdateCommand::List { json } => list(db, json),
        UpdateCommand::Offer { version, to } => {
            known(db, &version)?;
            let names = meant(db.offer_update(&version, to.which(&version), system_clock())?)?;
            if names.is_empty() {
                bail!("no trap in use is meant by that, so nobody was offered it");
            }
            say(&format!(
                "`{version}` is offered to {}. A trap hears of it with its next sync, and takes \
                 it only if it is signed with a key that the trap knows.",
                named(&names)
            ));
            Ok(())
        }
        UpdateCommand::Withdraw { version, to } => {
            known(db, &version)?;
            let names = meant(db.withdraw_update(&version, to.which(&version))?)?;
            if names.is_empty() {
                bail!("`{version}` is not offered to any of these traps");
            }
            say(&format!(
                "`{version}` is no longer offered to {}. A trap that has installed it already \
                 keeps it: to change that, offer another version.",
                named(&names)
            ));
            Ok(())
        }
    }
}

fn add(
    db: &mut Db,
    data: &Path,
    bundle: &Path,
    (version, json): (Option<&str>, bool),
) -> anyhow::Result<()> {
    let (row, is_new) = match updates::add(db, data, bundle, version, system_clock())? {
        Added::New(row) => (row, true),
        Added::Known(row) => (row, false),
    };
    if json {
        return print(&row);
    }
    let done = if is_new {
        "is added"
    } else {
        "was here already"
    };
    write_out(&format!("{}\n", row.version))?;
    say(&format!(
        "The update `{}` {done} ({} bytes, SHA-256 {}). \
         `trapline-server update offer {} --trap NAME` offers it to one trap first.",
        row.version, row.size_bytes, row.sha256, row.version
    ));
    Ok(())
}

fn list(db: &Db, json: bool) -> anyhow::Result<()> {
    let (updates, offers) = (db.updates()?, db.update_offers()?);
    if json {
        return print(&serde_json::json!({ "updates": updates, "offers": offers }));
    }
    if updates.is_empty() {
        say("No update yet. `trapline-server update add FILE.raucb` adds one.");
        return Ok(());
    }
    let mut text = String::new();
    for update in &updates {
        text.push_str(&format!(
            "{}  {} bytes, {:.12}…\n",
            update.version,
            update.size_bytes,
            update.sha256.to_string()
        ));
        let own = offers
            .iter()
            .filter(|offer| offer.version == update.version);
        for offer in own {
            text.push_str(&format!("  {:24}  {}\n", offer.trap_name, progress(offer)));
        }
    }
    write_out(&text)
}

/// How far a trap is with an update, in words.
fn progress(offer: &UpdateOfferRow) -> String {
    let words = match &offer.state {
        None => "offered, not heard of yet".to_owned(),
        Some(UpdateState::Fetching {
            done_bytes,
            size_bytes,
        }) => format!("fetching, {} %", done_bytes * 100 / (*size_bytes).max(1)),
        Some(UpdateState::Ready) => "fetched, waits to be installed".to_owned(),
        Some(UpdateState::Installed) => "installed, proves itself at the next start".to_owned(),
        Some(UpdateState::Confirmed) => "in use".to_owned(),
        Some(UpdateState::Refused { reason }) => format!("refused: {reason}"),
        Some(UpdateState::Returned { reason }) => format!("taken back: {reason}"),
    };
    match &offer.running {
        Some(running) => format!("{words} (runs {running})"),
        None => words,
    }
}

fn known(db: &Db, version: &str) -> anyhow::Result<()> {
    if db.update(version)?.is_none() {
        bail!("there is no update `{version}`; `trapline-server update list` shows them");
    }
    Ok(())
}
