//! The commands around models: what they take and what they print.

use super::{print, say, write_out};
use crate::db::{Db, OfferRow, Which};
use crate::models::{self, Added};
use crate::state::system_clock;
use anyhow::bail;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use trapline_wire::v1::ModelState;

#[derive(Subcommand)]
pub(super) enum ModelCommand {
    /// Check a model and store its files, so that it can be offered
    Add {
        /// The model's manifest; the model file lies beside it
        manifest: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// List all models, to which traps they are offered, and how far those are
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let traps fetch a model, try it, and use it if it is as good as theirs
    Offer {
        /// Id of the model
        id: String,
        #[command(flatten)]
        to: Traps,
    },
    /// Take an offer back; a trap that uses the model goes on using it
    Withdraw {
        /// Id of the model
        id: String,
        #[command(flatten)]
        to: Traps,
    },
}

#[derive(Args)]
#[group(required = true)]
pub(super) struct Traps {
    /// Name or id of a trap; may be given several times
    #[arg(long, value_name = "TRAP")]
    trap: Vec<String>,
    /// All traps that there are now
    #[arg(long, conflicts_with = "trap")]
    all: bool,
    /// So many of a hundred of them; a larger share is the same traps and others
    #[arg(long, value_name = "PERCENT", conflicts_with_all = ["trap", "all"],
          value_parser = clap::value_parser!(u8).range(1..=100))]
    share: Option<u8>,
}

impl Traps {
    /// The traps that are meant; `word` is what a share is drawn for.
    pub(super) fn which<'a>(&'a self, word: &'a str) -> Which<'a> {
        match self.share {
            Some(percent) => Which::Share { percent, word },
            None if self.all => Which::All,
            None => Which::Named(&self.trap),
        }
    }
}

pub(super) fn model(command: ModelCommand, data: &Path, db: &mut Db) -> anyhow::Result<()> {
    match command {
        ModelCommand::Add { manifest, json } => add(db, data, &manifest, json),
        ModelCommand::List { json } => list(db, json),
        ModelCommand::Offer { id, to } => {
            known(db, &id)?;
            let names = meant(db.offer_model(&id, to.which(&id), system_clock())?)?;
            if names.is_empty() {
                bail!("no trap in use is meant by that, so nobody was offered it");
            }
            say(&format!(
                "`{id}` is offered to {}. A trap hears of it with its next sync.",
                named(&names)
            ));
            Ok(())
        }
        ModelCommand::Withdraw { id, to } => {
            known(db, &id)?;
            let names = meant(db.withdraw_model(&id, to.which(&id))?)?;
            if names.is_empty() {
                bail!("`{id}` is not offered to any of these traps");
            }
            say(&format!(
                "`{id}` is no longer offered to {}. A trap that uses it already goes on with it: \
                 to change that, offer another model.",
                named(&names)
            ));
            Ok(())
        }
    }
}

fn add(db: &mut Db, data: &Path, manifest: &Path, json: bool) -> anyhow::Result<()> {
    let (row, is_new) = match models::add(db, data, manifest, system_clock())? {
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
    write_out(&format!("{}\n", row.id))?;
    say(&format!(
        "The model `{}` {done} ({} bytes, SHA-256 {}). \
         `trapline-server model offer {} --all` offers it to every trap.",
        row.id, row.size_bytes, row.sha256, row.id
    ));
    Ok(())
}

fn list(db: &Db, json: bool) -> anyhow::Result<()> {
    let (models, offers) = (db.models()?, db.offers()?);
    if json {
        return print(&serde_json::json!({ "models": models, "offers": offers }));
    }
    if models.is_empty() {
        say("No model yet. `trapline-server model add MANIFEST.toml` adds one.");
        return Ok(());
    }
    let mut text = String::new();
    for model in &models {
        let card = if model.card.is_empty() {
            "card not named"
        } else {
            &model.card
        };
        text.push_str(&format!(
            "{}  {} bytes, {card}, {:.12}…\n",
            model.id,
            model.size_bytes,
            model.sha256.to_string()
        ));
        for offer in offers.iter().filter(|offer| offer.model == model.id) {
            text.push_str(&format!("  {:24}  {}\n", offer.trap_name, progress(offer)));
        }
    }
    write_out(&text)
}

/// How far a trap is with an offer, in words.
fn progress(offer: &OfferRow) -> String {
    let words = match &offer.state {
        None => "offered, not heard of yet".to_owned(),
        Some(ModelState::Fetching {
            done_bytes,
            size_bytes,
        }) => format!("fetching, {} %", done_bytes * 100 / (*size_bytes).max(1)),
        Some(ModelState::Trying) => "trying it on stored pictures".to_owned(),
        Some(ModelState::Probation { pictures_left }) => {
            format!("in use, {pictures_left} pictures left to prove itself")
        }
        Some(ModelState::InUse) => "in use".to_owned(),
        Some(ModelState::Refused { reason }) => format!("refused: {reason}"),
    };
    match &offer.running {
        Some(running) if *running != offer.model => format!("{words} (uses {running})"),
        _ => words,
    }
}

fn known(db: &Db, id: &str) -> anyhow::Result<()> {
    if db.model(id)?.is_none() {
        bail!("there is no model `{id}`; `trapline-server model list` shows them");
    }
    Ok(())
}

pub(super) fn meant(found: Result<Vec<String>, String>) -> anyhow::Result<Vec<String>> {
    found.map_err(|unknown| {
        anyhow::anyhow!(
            "no trap in use is called `{unknown}`; `trapline-server trap list` shows them"
        )
    })
}

pub(super) fn named(names: &[String]) -> String {
    names.join(", ")
}
