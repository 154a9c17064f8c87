//! When the trap opens its own Wi-Fi: decided purely from what NetworkManager
//! says each minute, and a few remembered moments.
//!
//! One radio cannot look for networks and be one. So with networks on the card
//! the own one closes after a while in which nobody was in it, to let the radio
//! look again; and "auto" ends after an hour without anybody, for the battery.

use super::network::HOTSPOT;
use crate::config::card::HotspotUse;
use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;
/// A known network has so long to answer.
const ALONE_MS: u64 = 3 * MINUTE_MS;
/// After so long without guests the radio looks for known networks.
const LOOK_AGAIN_MS: u64 = 10 * MINUTE_MS;
/// "auto" ends so long after the start or the last guest.
const AUTO_MS: u64 = 60 * MINUTE_MS;

/// A network device, as NetworkManager names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// `wlan0`
    pub name: String,
    /// `wifi`, `ethernet`, …
    pub kind: String,
    /// `connected`, `disconnected`, …
    pub state: String,
    /// Its profile.
    pub connection: String,
}

impl Device {
    /// A line of `nmcli -t -e no -f DEVICE,TYPE,STATE,CONNECTION device`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ':').map(str::to_owned);
        Some(Self {
            name: words.next()?,
            kind: words.next()?,
            state: words.next()?,
            connection: words.next()?,
        })
    }

    /// Whether it is the trap's own network.
    #[must_use]
    pub fn is_hotspot(&self) -> bool {
        self.kind == "wifi" && self.connection == HOTSPOT
    }

    fn is_way_out(&self) -> bool {
        let is_kind = matches!(self.kind.as_str(), "wifi" | "ethernet" | "gsm");
        is_kind && !self.is_hotspot() && self.state == "connected"
    }

    fn is_usable_radio(&self) -> bool {
        self.kind == "wifi" && !matches!(self.state.as_str(), "unavailable" | "unmanaged")
    }
}

/// What is seen at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Since boot.
    pub uptime_ms: u64,
    /// All devices.
    pub devices: Vec<Device>,
    /// Phones in the trap's own network.
    pub guests: usize,
}

/// What is remembered from look to look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Since when there is no network.
    pub alone_since_ms: Option<u64>,
    /// When the own network was opened last.
    pub opened_ms: u64,
    /// When a guest was there last.
    pub guest_ms: u64,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Rest,
    /// Open it.
    Open,
    /// Close it.
    Close,
}

/// Decides, and remembers.
pub fn decide(when: HotspotUse, has_networks: bool, seen: &Seen, kept: &mut Remembered) -> Act {
    let now_ms = seen.uptime_ms;
    let is_open = seen.devices.iter().any(Device::is_hotspot);
    let has_way_out = seen.devices.iter().any(Device::is_way_out);
    if seen.guests > 0 {
        kept.guest_ms = now_ms;
    }
    let over = when == HotspotUse::Auto && now_ms.saturating_sub(kept.guest_ms) >= AUTO_MS;
    if is_open {
        kept.alone_since_ms = None;
        let quiet_since_ms = kept.opened_ms.max(kept.guest_ms);
        let may_look = has_networks && now_ms.saturating_sub(quiet_since_ms) >= LOOK_AGAIN_MS;
        let is_unwanted = when == HotspotUse::Never || has_way_out || over || may_look;
        let closes = is_unwanted && (seen.guests == 0 || when == HotspotUse::Never);
        return if closes { Act::Close } else { Act::Rest };
    }
    if has_way_out {
        kept.alone_since_ms = None;
        return Act::Rest;
    }
    let since_ms = *kept.alone_since_ms.get_or_insert(now_ms);
    let patience_ms = if has_networks { ALONE_MS } else { 0 };
    let has_radio = seen.devices.iter().any(Device::is_usable_radio);
    let is_wanted = when != HotspotUse::Never && !over && has_radio;
    if is_wanted && now_ms.saturating_sub(since_ms) >= patience_ms {
        kept.opened_ms = now_ms;
        return Act::Open;
    }
    Act::Rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(minute: u64, lines: &[&str], guests: usize) -> Seen {
        Seen {
            uptime_ms: minute * MINUTE_MS,
            devices: lines
                .iter()
                .filter_map(|line| Device::parse(line))
                .collect(),
            guests,
        }
    }

    const FREE: &str = "wlan0:wifi:disconnected:";
    const OWN: &str = "wlan0:wifi:connected:trapline-hotspot";
    const FARM: &str = "wlan0:wifi:connected:trapline-wifi-1";
    const WIRE: &str = "eth0:ethernet:connected:Wired connection 1";

    /// What is done minute by minute, the own network being there once it was opened.
    fn story(
        when: HotspotUse,
        has_networks: bool,
        minutes: u64,
        guests: impl Fn(u64) -> usize,
    ) -> Vec<(u64, Act)> {
        let (mut kept, mut is_open, mut acts) = (Remembered::default(), false, Vec::new());
        for minute in 1..=minutes {
            let lines = [if is_open { OWN } else { FREE }];
            let guests = if is_open { guests(minute) } else { 0 };
            let act = decide(when, has_networks, &seen(minute, &lines, guests), &mut kept);
            match act {
                Act::Open => is_open = true,
                Act::Close => is_open = false,
                Act::Rest => continue,
            }
            acts.push((minute, act));
        }
        acts
    }

    #[test]
    fn without_networks_it_opens_at_once_and_ends_after_an_hour() {
        let acts = story(HotspotUse::Auto, false, 200, |_| 0);
        assert_eq!(acts, [(1, Act::Open), (60, Act::Close)]);
        let visited = story(HotspotUse::Auto, false, 200, |minute| {
            usize::from(minute < 90)
        });
        assert_eq!(visited, [(1, Act::Open), (149, Act::Close)]);
        assert_eq!(
            story(HotspotUse::Always, false, 200, |_| 0),
            [(1, Act::Open)]
        );
        assert_eq!(story(HotspotUse::Never, false, 200, |_| 0), []);
    }

    #[test]
    fn with_networks_out_of_reach_it_takes_turns_with_looking_for_them() {
        let acts = story(HotspotUse::Always, true, 30, |_| 0);
        assert_eq!(
            acts,
            [
                (4, Act::Open),
                (14, Act::Close),
                (18, Act::Open),
                (28, Act::Close)
            ]
        );
        let guest = story(HotspotUse::Always, true, 30, |minute| {
            usize::from(minute < 25)
        });
        assert_eq!(guest, [(4, Act::Open)], "nobody is thrown out");
    }

    #[test]
    fn a_network_or_a_wire_makes_it_needless() {
        let mut kept = Remembered::default();
        for lines in [[FARM, ""], [FREE, WIRE]] {
            let act = decide(HotspotUse::Always, true, &seen(10, &lines, 0), &mut kept);
            assert_eq!(act, Act::Rest);
        }
        let both = seen(11, &[OWN, WIRE], 0);
        assert_eq!(
            decide(HotspotUse::Always, true, &both, &mut kept),
            Act::Close
        );
        let none = seen(
            12,
            &["wlan0:wifi:unavailable:", "lo:loopback:connected:lo"],
            0,
        );
        assert_eq!(
            decide(HotspotUse::Always, false, &none, &mut kept),
            Act::Rest,
            "no radio"
        );
    }
}
