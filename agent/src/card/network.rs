//! Networks as NetworkManager keeps them: one keyfile for each, pure text.

use crate::config::card::{Card, Wifi};
use std::fmt::Write as _;

/// Below the data folder; NetworkManager is told so in its `conf.d`.
pub const PROFILES_DIR: &str = "NetworkManager/system-connections";
/// The profile of the trap's own network.
pub const HOTSPOT: &str = "trapline-hotspot";
/// Its address, for the technician's page.
pub const HOTSPOT_ADDRESS: &str = "10.42.0.1";
/// How the profiles of networks to join begin; files like this that no card names are removed.
pub const WIFI_PREFIX: &str = "trapline-wifi-";
/// How NetworkManager wants its files to end.
pub const ENDING: &str = ".nmconnection";

/// The trap's own network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNetwork {
    /// Its name.
    pub ssid: String,
    /// Its password.
    pub password: String,
}

/// Each profile by the name of its file.
#[must_use]
pub fn profiles(card: &Card, own: &OwnNetwork) -> Vec<(String, String)> {
    let mut profiles: Vec<(String, String)> = card
        .wifi
        .iter()
        .enumerate()
        .map(|(index, wifi)| {
            let name = format!("{WIFI_PREFIX}{}", index + 1);
            let text = wifi_profile(&name, wifi, 100_usize.saturating_sub(index));
            (format!("{name}{ENDING}"), text)
        })
        .collect();
    profiles.push((format!("{HOTSPOT}{ENDING}"), hotspot_profile(own)));
    profiles
}

fn wifi_profile(name: &str, wifi: &Wifi, priority: usize) -> String {
    let mut text = format!(
        "[connection]\nid={name}\ntype=wifi\nautoconnect=true\n\
         autoconnect-priority={priority}\nautoconnect-retries=0\n\n\
         [wifi]\nmode=infrastructure\nssid={}\n",
        bytes_list(&wifi.ssid)
    );
    if wifi.hidden {
        text.push_str("hidden=true\n");
    }
    if let Some(password) = &wifi.password {
        let _infallible = write!(
            text,
            "\n[wifi-security]\nkey-mgmt=wpa-psk\npsk={}\n",
            escaped(password)
        );
    }
    text.push_str("\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n");
    text
}

/// It never opens by itself: `card hotspot` decides when.
fn hotspot_profile(own: &OwnNetwork) -> String {
    // Management frames stay unprotected, because the Pi's radio fails to open with them so.
    format!(
        "[connection]\nid={HOTSPOT}\ntype=wifi\nautoconnect=false\n\n\
         [wifi]\nmode=ap\nband=bg\nchannel=6\nssid={}\n\n\
         [wifi-security]\nkey-mgmt=wpa-psk\nproto=rsn;\npairwise=ccmp;\ngroup=ccmp;\npmf=1\npsk={}\n\n\
         [ipv4]\nmethod=shared\naddress1={HOTSPOT_ADDRESS}/24\n\n[ipv6]\nmethod=disabled\n",
        bytes_list(&own.ssid),
        escaped(&own.password)
    )
}

/// A name as the list of its bytes, which no letter of it can be mistaken in.
fn bytes_list(ssid: &str) -> String {
    ssid.bytes().map(|byte| format!("{byte};")).collect()
}

/// A value of a keyfile: backslashes doubled, spaces at its ends kept.
fn escaped(text: &str) -> String {
    let doubled = text.replace('\\', "\\\\");
    let inner = doubled.trim_matches(' ');
    let leading = doubled.len() - doubled.trim_start_matches(' ').len();
    let trailing = doubled.len() - inner.len() - leading;
    format!("{}{inner}{}", "\\s".repeat(leading), "\\s".repeat(trailing))
}

/// A name that hosts may have: small letters, digits and hyphens.
#[must_use]
pub fn host_name(name: &str) -> String {
    let mut host = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'ä' => host.push_str("ae"),
            'ö' => host.push_str("oe"),
            'ü' => host.push_str("ue"),
            'ß' => host.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' | 'å' => host.push('a'),
            'è' | 'é' | 'ê' | 'ë' => host.push('e'),
            'ì' | 'í' | 'î' | 'ï' => host.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ø' => host.push('o'),
            'ù' | 'ú' | 'û' => host.push('u'),
            'ç' => host.push('c'),
            'ñ' => host.push('n'),
            letter if letter.is_ascii_alphanumeric() => host.push(letter),
            _ if host.ends_with('-') => {}
            _ => host.push('-'),
        }
    }
    let host: String = host.trim_matches('-').chars().take(63).collect();
    match host.trim_end_matches('-') {
        "" => "trap".to_owned(),
        host => host.to_owned(),
    }
}

/// `Trapline-` and the trap's name, as long as radios allow.
#[must_use]
pub fn hotspot_ssid(name: &str) -> String {
    let mut ssid = "Trapline-".to_owned();
    for letter in name.chars() {
        if ssid.len() + letter.len_utf8() > crate::config::card::SSID_BYTES_MAX {
            break;
        }
        ssid.push(letter);
    }
    ssid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_hosts_and_networks() {
        assert_eq!(host_name("Wiese Süd / 3"), "wiese-sued-3");
        assert_eq!(host_name("昆虫"), "trap");
        assert_eq!(host_name(&"a".repeat(100)).len(), 63);
        assert_eq!(hotspot_ssid("Wiese"), "Trapline-Wiese");
        let long = hotspot_ssid(&"ü".repeat(40));
        assert!(long.len() <= 32 && long.ends_with('ü'), "{long}");
    }

    #[test]
    fn no_letter_of_a_name_or_password_is_lost() {
        assert_eq!(bytes_list("Mü;"), "77;195;188;59;");
        assert_eq!(escaped(r" a\b c "), r"\sa\\b c\s");
        assert_eq!(escaped("plain"), "plain");
    }

    #[test]
    fn the_first_network_of_the_card_is_preferred() {
        let base = crate::config::card::Base::new(None).unwrap();
        let text = b"[[wifi]]\nssid = \"a\"\npassword = \"12345678\"\n[[wifi]]\nssid = \"b\"\nhidden = true\n";
        let card = crate::config::card::read(text, &base).unwrap();
        let own = OwnNetwork {
            ssid: hotspot_ssid("x"),
            password: "k7mpx-3xqda".to_owned(),
        };
        let made = profiles(&card, &own);
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "trapline-wifi-1.nmconnection",
                "trapline-wifi-2.nmconnection",
                "trapline-hotspot.nmconnection"
            ]
        );
        assert!(made[0].1.contains("autoconnect-priority=100\n"));
        assert!(made[0].1.contains("psk=12345678\n"));
        assert!(made[1].1.contains("autoconnect-priority=99\n"));
        assert!(made[1].1.contains("hidden=true\n") && !made[1].1.contains("wifi-security"));
        assert!(made[2].1.contains("autoconnect=false\n"));
    }
}
