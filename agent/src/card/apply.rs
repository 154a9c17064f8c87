//! `card apply`: from the file on the card to the files that agent,
//! NetworkManager and ssh read, and to what is told about it.

use super::durable::{self, Access};
use super::network::{self, OwnNetwork};
use super::status_file;
use super::system::System;
use super::understood::{self, Line};
use super::{AGENT_FILE, LAST_GOOD_AGENT_FILE, LAST_GOOD_CARD_FILE, Places};
use crate::config::Config;
use crate::config::card::handover::{HANDOVER_FILE, Handover, Held};
use crate::config::card::{self, Base, Card, CardProblem, HotspotUse, file};
use crate::page::password::Password;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// In the folder of this boot, for `card status` and `card hotspot`; with the own network's password.
const APPLIED_FILE: &str = "applied.json";
/// On the data partition: what was drawn for this trap's own network.
const DRAWN_FILE: &str = "hotspot.json";
/// The agent's user, who reads its settings.
const AGENT_GROUP: &str = "trapline";
/// Letters that tell nameless traps apart.
const TAG_LETTERS: usize = 4;

/// What became of the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Which settings hold, what is wrong with the card's, what could not be done.
    #[serde(flatten)]
    pub handover: Handover,
    /// What was odd about the file and understood all the same.
    pub notes: Vec<String>,
    /// What holds, in words.
    pub understood: Vec<Line>,
    /// The host's name.
    pub host_name: String,
    /// When the own network opens.
    pub hotspot: HotspotUse,
    /// Whether there are networks to join.
    pub has_networks: bool,
    /// The ledger's folder.
    pub ledger_dir: PathBuf,
    /// Files that had to be written.
    pub written: Vec<String>,
}

impl Applied {
    /// What was applied in this boot, if anything was.
    #[must_use]
    pub fn read(run: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(run.join(APPLIED_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.handover.problems {
            writeln!(f, "{problem}")?;
        }
        for trouble in &self.handover.troubles {
            writeln!(f, "{trouble}")?;
        }
        let files = self.written.len();
        writeln!(f, "{}; {files} files written", self.handover.held)
    }
}

/// Applies the card. Never fails: what goes wrong is in the result, and the rest is done.
pub fn apply(places: &Places, system: &dyn System) -> Applied {
    let mut work = Work {
        places,
        system,
        handover: Handover::default(),
        written: Vec::new(),
    };
    let base = work.base();
    let bytes = file::read_from(&places.card).map_err(|problem| vec![problem]);
    let read = bytes.and_then(|bytes| card::read(&bytes, &base).map(|card| (card, bytes)));
    let card = match read {
        Ok((card, bytes)) => {
            work.handover.held = Held::Card;
            work.prepare();
            work.put(LAST_GOOD_CARD_FILE, &bytes, Access::OWN);
            Some(card)
        }
        Err(problems) => {
            work.handover.problems = problems;
            work.prepare();
            work.kept(&base)
        }
    };
    let Some(card) = card else {
        // The built-in settings pass their own check, so nobody gets here with a right program.
        return work.finish(None, None);
    };
    let own = work.own_network(&card);
    work.put_all(&card, &own);
    work.finish(Some(&card), Some(&own))
}

struct Work<'a> {
    places: &'a Places,
    system: &'a dyn System,
    handover: Handover,
    written: Vec<String>,
}

impl Work<'_> {
    fn base(&mut self) -> Base {
        let board = file::read_if_there(&self.places.board);
        match Base::new(board.as_deref()) {
            Ok(base) => base,
            Err(why) => {
                self.trouble(&format!("the board's own settings are wrong: {why}"));
                Base::default()
            }
        }
    }

    /// The settings that were right last, or the built-in ones.
    fn kept(&mut self, base: &Base) -> Option<Card> {
        let kept = file::read_one(&self.places.data.join(LAST_GOOD_CARD_FILE)).ok();
        let kept = kept.and_then(|bytes| card::read_kept(&bytes, base));
        self.handover.held = match kept {
            Some(_) => Held::LastGood,
            None => Held::BuiltIn,
        };
        kept.or_else(|| card::without_card(base))
    }

    fn prepare(&mut self) {
        let data = &self.places.data;
        let folders = [
            (data.clone(), 0o755),
            (data.join(network::PROFILES_DIR), 0o700),
            (data.join("ssh"), 0o755),
            (self.places.run.clone(), 0o755),
        ];
        for (folder, mode) in folders {
            let made = durable::folder(&folder, mode);
            self.note(&folder.display().to_string(), made);
        }
    }

    fn put_all(&mut self, card: &Card, own: &OwnNetwork) {
        self.put_agent_settings(card);
        let profiles = network::profiles(card, own);
        for (name, text) in &profiles {
            let name = format!("{}/{name}", network::PROFILES_DIR);
            self.put(&name, text.as_bytes(), Access::OWN);
        }
        self.remove_others(&profiles);
        let host = network::host_name(&card.config.trap.name);
        self.put("hostname", format!("{host}\n").as_bytes(), Access::ALL);
        let keys: String = card.ssh_keys.iter().map(|key| format!("{key}\n")).collect();
        if keys.is_empty() {
            let shut = durable::remove(&self.places.data.join("ssh/authorized_keys"));
            self.note_written("ssh/authorized_keys", shut);
        } else {
            self.put("ssh/authorized_keys", keys.as_bytes(), Access::ALL);
        }
        let named = self.system.name_host(&host);
        self.note("the host's name", named);
        if let Some(country) = &card.country
            && let Err(error) = self.system.name_country(country)
        {
            // A trap without radio has no use for it.
            log::info!("the radio was not told its country: {error}");
        }
    }

    fn put_agent_settings(&mut self, card: &Card) {
        let access = Access {
            mode: 0o640,
            group: self.system.group(AGENT_GROUP),
        };
        let before = file::read_if_there(&self.places.data.join(AGENT_FILE));
        let before = before.filter(|text| *text != card.agent_toml);
        if let Some(text) = before.filter(|text| Config::from_text(AGENT_FILE, text).is_ok()) {
            self.put(LAST_GOOD_AGENT_FILE, text.as_bytes(), access);
        }
        self.put(AGENT_FILE, card.agent_toml.as_bytes(), access);
    }

    /// Networks of the card before this one.
    fn remove_others(&mut self, profiles: &[(String, String)]) {
        let folder = self.places.data.join(network::PROFILES_DIR);
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let names: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(network::WIFI_PREFIX))
            .filter(|name| profiles.iter().all(|(kept, _)| kept != name))
            .collect();
        for name in names {
            let removed = durable::remove(&folder.join(&name));
            self.note_written(&name, removed);
        }
    }

    fn own_network(&mut self, card: &Card) -> OwnNetwork {
        let file = self.places.data.join(DRAWN_FILE);
        let kept: Option<Drawn> = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let drawn = match kept {
            Some(kept) => kept,
            None => self.draw(),
        };
        let name = card.name.clone().unwrap_or(drawn.tag);
        OwnNetwork {
            ssid: network::hotspot_ssid(&name),
            password: card.hotspot.password.clone().unwrap_or(drawn.password),
        }
    }

    fn draw(&mut self) -> Drawn {
        let drawn = Password::draw().and_then(|password| {
            let tag = Password::draw()?.bare().chars().take(TAG_LETTERS).collect();
            Ok(Drawn {
                tag,
                password: password.shown(),
            })
        });
        match drawn {
            Ok(drawn) => {
                let text = serde_json::to_vec(&drawn).unwrap_or_default();
                self.put(DRAWN_FILE, &text, Access::OWN);
                drawn
            }
            Err(error) => {
                self.trouble(&format!("no password for the trap's own Wi-Fi: {error}"));
                Drawn::default()
            }
        }
    }

    fn finish(mut self, card: Option<&Card>, own: Option<&OwnNetwork>) -> Applied {
        let config = card.map(|card| &card.config);
        let mut applied = Applied {
            notes: card.map(|card| card.notes.clone()).unwrap_or_default(),
            understood: card
                .map(|card| understood::lines(card, own))
                .unwrap_or_default(),
            host_name: config
                .map(|c| network::host_name(&c.trap.name))
                .unwrap_or_default(),
            hotspot: card.map(|card| card.hotspot.when).unwrap_or_default(),
            has_networks: card.is_some_and(|card| !card.wifi.is_empty()),
            ledger_dir: config.map(|c| c.ledger.dir.clone()).unwrap_or_default(),
            handover: Handover::default(),
            written: Vec::new(),
        };
        applied.handover = self.handover.clone();
        let told = status_file::write_settings(&self.places.card, self.system, &applied);
        self.note(status_file::STATUS_FILE, told.map(|_written| ()));
        applied.handover = self.handover.clone();
        applied.written = self.written.clone();
        let run = &self.places.run;
        let open = serde_json::to_vec(&applied.handover).unwrap_or_default();
        let secret = serde_json::to_vec(&applied).unwrap_or_default();
        let handed = durable::for_this_boot(&run.join(HANDOVER_FILE), &open, 0o644)
            .and_then(|()| durable::for_this_boot(&run.join(APPLIED_FILE), &secret, 0o600));
        if let Err(error) = handed {
            let run = run.display();
            applied
                .handover
                .troubles
                .push(format!("{run} cannot be written: {error}"));
        }
        applied
    }

    fn put(&mut self, name: &str, bytes: &[u8], access: Access) {
        let written = durable::write(&self.places.data.join(name), bytes, access);
        self.note_written(name, written);
    }

    fn note_written(&mut self, name: &str, written: io::Result<bool>) {
        match written {
            Ok(true) => self.written.push(name.to_owned()),
            Ok(false) => {}
            Err(error) => self.trouble(&format!("{name} cannot be written: {error}")),
        }
    }

    fn note(&mut self, what: &str, done: io::Result<()>) {
        if let Err(error) = done {
            self.trouble(&format!("{what} cannot be set: {error}"));
        }
    }

    fn trouble(&mut self, what: &str) {
        self.handover.troubles.push(what.to_owned());
    }
}

/// What was drawn once and is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Drawn {
    tag: String,
    password: String,
}

/// What a check of the file says at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whether it would be used.
    pub is_right: bool,
    /// What is wrong.
    pub problems: Vec<CardProblem>,
    /// What is odd and is understood all the same.
    pub notes: Vec<String>,
    /// What the trap would do.
    pub understood: Vec<Line>,
}

impl Checked {
    /// Checks a file's content.
    #[must_use]
    pub fn of(bytes: &[u8], base: &Base) -> Self {
        match card::read(bytes, base) {
            Ok(card) => Self {
                is_right: true,
                problems: Vec::new(),
                understood: understood::lines(&card, None),
                notes: card.notes,
            },
            Err(problems) => Self {
                is_right: false,
                problems,
                notes: Vec::new(),
                understood: Vec::new(),
            },
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for note in &self.notes {
            writeln!(f, "Note: {note}")?;
        }
        if self.is_right {
            writeln!(f, "The settings are right. The trap understands:")?;
        }
        for Line { about, words } in &self.understood {
            writeln!(f, "  {about:<10} {words}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
