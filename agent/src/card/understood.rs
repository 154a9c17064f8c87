//! What a trap understood of its card, line by line, for the check at a desk and for the
//! status file.

use super::network::{HOTSPOT_ADDRESS, OwnNetwork, host_name};
use crate::config::card::{Card, HotspotUse};
use serde::{Deserialize, Serialize};

/// One thing that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is about.
    pub about: String,
    /// What holds.
    pub words: String,
}

/// All of it; no secret but the password of the trap's own network, where that is known.
#[must_use]
pub fn lines(card: &Card, own: Option<&OwnNetwork>) -> Vec<Line> {
    let config = &card.config;
    let host = host_name(&config.trap.name);
    let name = match &card.name {
        Some(name) => format!("{name} ({host}.local in its network)"),
        None => format!("none given, called {host:?} for now"),
    };
    let place = match config.trap.place {
        Some(place) => format!("{}, {}", place.latitude, place.longitude),
        None => "not given".to_owned(),
    };
    let server = match &config.server {
        Some(server) => server.url.clone(),
        None => "none: everything stays on the card".to_owned(),
    };
    let networks: Vec<String> = card
        .wifi
        .iter()
        .map(|wifi| format!("{:?}", wifi.ssid))
        .collect();
    let mut wifi = if networks.is_empty() {
        "none to join".to_owned()
    } else {
        networks.join(", then ")
    };
    if let Some(country) = &card.country {
        wifi.push_str(&format!(" (radio as allowed in {country})"));
    }
    let ssh = match card.ssh_keys.len() {
        0 => "shut".to_owned(),
        1 => format!("open for one key: ssh root@{host}.local"),
        keys => format!("open for {keys} keys: ssh root@{host}.local"),
    };
    let said = [
        ("Name", name),
        ("Place", place),
        ("Pictures", pictures(card)),
        ("Server", server),
        ("Wi-Fi", wifi),
        ("Own Wi-Fi", own_wifi(card, own)),
        ("Page", page(card)),
        ("ssh", ssh),
    ];
    said.map(|(about, words)| Line {
        about: about.to_owned(),
        words,
    })
    .into()
}

fn pictures(card: &Card) -> String {
    let schedule = &card.config.schedule;
    let seconds = schedule.every_ms() / 1000;
    let every = match (seconds / 60, seconds % 60) {
        (0, _) => format!("every {seconds} seconds"),
        (minutes, 0) => format!("every {minutes} minutes"),
        (minutes, rest) => format!("every {minutes} minutes {rest} seconds"),
    };
    let burst = match schedule.burst().shots {
        0 | 1 => String::new(),
        shots => format!(", {shots} at a time"),
    };
    let windows = if schedule.openings().is_empty() {
        String::new()
    } else {
        format!(", {}", schedule.windows_words())
    };
    format!(
        "{every}{burst}{windows}; local time is {}",
        schedule.offset_words()
    )
}

fn own_wifi(card: &Card, own: Option<&OwnNetwork>) -> String {
    let when = match card.hotspot.when {
        HotspotUse::Auto => {
            "while there is no other network, for an hour after a start and as long as a phone is connected"
        }
        HotspotUse::Always => "while there is no other network",
        HotspotUse::Never => return "never".to_owned(),
    };
    match own {
        Some(own) => format!("{:?}, password {} ({when})", own.ssid, own.password),
        None => format!("{when}; its password is made at the first start"),
    }
}

fn page(card: &Card) -> String {
    match card.config.page.listen {
        Some(listen) => {
            let port = listen.port();
            format!("http://{HOTSPOT_ADDRESS}:{port} in its own Wi-Fi")
        }
        None => "off".to_owned(),
    }
}
