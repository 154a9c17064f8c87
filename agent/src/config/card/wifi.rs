//! Networks: those that the trap may join, and its own.

use super::reader::Reader;
use serde::{Deserialize, Serialize};
use std::fmt;
use toml::de::{DeTable, DeValue};

/// No radio takes a longer name.
pub const SSID_BYTES_MAX: usize = 32;
/// More than anybody carries on one card.
const NETWORKS_MAX: usize = 20;

/// A network that the trap may join.
#[derive(Clone, PartialEq, Eq)]
pub struct Wifi {
    /// Its name.
    pub ssid: String,
    /// 8 to 63 letters, or 64 hexadecimal digits; `None` for an open network.
    pub password: Option<String>,
    /// Whether it does not tell its name.
    pub hidden: bool,
}

impl fmt::Debug for Wifi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wifi")
            .field("ssid", &self.ssid)
            .finish_non_exhaustive()
    }
}

/// When the trap opens its own network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HotspotUse {
    /// While there is no other, for an hour and as long as somebody is in it.
    #[default]
    Auto,
    /// While there is no other.
    Always,
    /// Never.
    Never,
}

/// The trap's own network.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hotspot {
    /// When it is there.
    pub when: HotspotUse,
    /// The password that the card gives it.
    pub password: Option<String>,
}

impl fmt::Debug for Hotspot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hotspot")
            .field("when", &self.when)
            .finish_non_exhaustive()
    }
}

impl Reader<'_> {
    /// `[[wifi]]`, or a single `[wifi]`.
    pub(super) fn wifi(&mut self, at: usize, value: &DeValue<'_>) {
        let tables: Vec<&DeTable<'_>> = match value {
            DeValue::Table(table) => vec![table],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| item.get_ref().as_table())
                .collect(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => Vec::new(),
        };
        if tables.is_empty() {
            self.complain(
                at,
                "a network is no single value".to_owned(),
                "write a line [[wifi]], and below it `ssid` and `password`",
            );
        }
        if tables.len() > NETWORKS_MAX {
            self.complain(
                at,
                format!("there are more than {NETWORKS_MAX} networks"),
                "keep those that the trap can reach",
            );
        }
        for table in tables.into_iter().take(NETWORKS_MAX) {
            self.network(at, table);
        }
    }

    fn network(&mut self, at: usize, table: &DeTable<'_>) {
        let (mut ssid, mut password, mut hidden) = (None, None, false);
        let (mut starts, mut is_right) = (at, true);
        for (index, (name, value)) in table.iter().enumerate() {
            let at = name.span().start;
            if index == 0 {
                starts = at;
            }
            let before = self.problems.len();
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("ssid", DeValue::String(text)) => ssid = self.ssid(at, text),
                ("password", DeValue::String(text)) if text.is_empty() => {}
                ("password", DeValue::String(text)) => password = self.password(at, text),
                ("hidden", DeValue::Boolean(on)) => hidden = *on,
                ("hidden", _) => self.complain(
                    at,
                    "`hidden` needs true or false".to_owned(),
                    "without quotes",
                ),
                ("ssid" | "password", _) => {
                    let name = name.get_ref();
                    self.complain(
                        at,
                        format!("`{name}` needs a text"),
                        "write it between \"straight quotes\"",
                    );
                }
                (other, _) => self.unknown(
                    at,
                    &format!("wifi.{other}"),
                    &["wifi.ssid", "wifi.password", "wifi.hidden"],
                ),
            }
            is_right &= self.problems.len() == before;
        }
        match ssid {
            Some(ssid) => self.networks.push(Wifi {
                ssid,
                password,
                hidden,
            }),
            None if is_right => self.complain(
                starts,
                "this network has no name".to_owned(),
                "write `ssid = \"…\"` below [[wifi]]",
            ),
            None => {}
        }
    }

    fn ssid(&mut self, at: usize, text: &str) -> Option<String> {
        let is_right =
            !text.is_empty() && text.len() <= SSID_BYTES_MAX && !text.chars().any(char::is_control);
        if !is_right {
            self.complain(
                at,
                format!("`ssid` needs 1 to {SSID_BYTES_MAX} letters"),
                "the name of the network as a phone shows it; umlauts count twice",
            );
        }
        is_right.then(|| text.to_owned())
    }

    /// Never says the password itself: what is complained of ends on displays and servers.
    pub(super) fn password(&mut self, at: usize, text: &str) -> Option<String> {
        let is_hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let is_phrase =
            (8..=63).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !is_hex && !is_phrase {
            let letters = text.chars().count();
            let why = if text.is_ascii() {
                format!("a Wi-Fi password has 8 to 63 letters, this one {letters}")
            } else {
                "a Wi-Fi password has no umlauts, accents or curled quotes".to_owned()
            };
            self.complain(at, why, "look it up where the network was set up");
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn hotspot_use(&mut self, at: usize, text: &str) {
        self.hotspot.when = match text {
            "auto" => HotspotUse::Auto,
            "always" => HotspotUse::Always,
            "never" => HotspotUse::Never,
            _ => {
                let why = format!("`use` needs \"auto\", \"always\" or \"never\", not {text:?}");
                return self.complain(at, why, "");
            }
        };
    }
}
