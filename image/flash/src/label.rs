//! Labels to print and stick on: name, own Wi-Fi with a code that phones join
//! by, page and server. An A4 sheet of HTML without anything from elsewhere.

use crate::card_file;
use anyhow::Result;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Where a phone in the trap's own Wi-Fi finds its page.
const PAGE: &str = "http://10.42.0.1:8080";
const SSID_BYTES_MAX: usize = 32;

/// What stands on a label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The trap's name.
    pub name: String,
    /// Its own Wi-Fi.
    pub ssid: String,
    /// The password of that.
    pub password: String,
    /// Where it sends to; empty for nowhere.
    pub server: String,
    /// Where it stands; empty where that is not known.
    pub place: String,
}

impl Label {
    /// From the file on a card; `None` for a card that draws its own password or has no name.
    #[must_use]
    pub fn of_card(text: &str) -> Option<Self> {
        let of = |section, key| card_file::setting(text, section, key);
        let name = of("trap", "name")?;
        let place = of("trap", "latitude").zip(of("trap", "longitude"));
        Some(Self {
            ssid: hotspot_ssid(&name),
            name,
            password: of("hotspot", "password")?,
            server: of("server", "url").unwrap_or_default(),
            place: place.map(|(n, e)| format!("{n}, {e}")).unwrap_or_default(),
        })
    }

    /// What a phone's camera understands as "join this Wi-Fi".
    #[must_use]
    pub fn join(&self) -> String {
        format!(
            "WIFI:T:WPA;S:{};P:{};;",
            escaped(&self.ssid),
            escaped(&self.password)
        )
    }
}

/// As the trap calls its own Wi-Fi.
#[must_use]
pub fn hotspot_ssid(name: &str) -> String {
    let mut ssid = "Trapline-".to_owned();
    for letter in name.chars() {
        if ssid.len() + letter.len_utf8() > SSID_BYTES_MAX {
            break;
        }
        ssid.push(letter);
    }
    ssid
}

/// A sheet of labels.
///
/// # Errors
/// When a label holds more than a code can.
pub fn sheet(labels: &[Label]) -> Result<String> {
    let mut html = HEAD.to_owned();
    for label in labels {
        let code = QrCode::encode_text(&label.join(), QrCodeEcc::Medium)
            .map_err(|_| anyhow::anyhow!("the label of {:?} is too long for a code", label.name))?;
        let _infallible = write!(
            html,
            "<article>{}<div><h1>{}</h1><dl>",
            svg(&code),
            safe(&label.name)
        );
        let lines = [
            ("Wi-Fi", label.ssid.as_str()),
            ("Password", &label.password),
            ("Page", PAGE),
            ("Server", &label.server),
            ("Place", &label.place),
        ];
        for (about, words) in lines.into_iter().filter(|(_, words)| !words.is_empty()) {
            let _infallible = write!(html, "<dt>{about}<dd>{}", safe(words));
        }
        html.push_str("</dl></div></article>\n");
    }
    Ok(html)
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>Labels of Trapline traps</title>
<style>
@page { size: A4; margin: 10mm }
body { font: 9pt sans-serif; margin: 0; display: grid; grid-template-columns: 92mm 92mm; gap: 3mm }
article { border: 1px dashed #888; padding: 3mm; height: 40mm; display: flex; gap: 3mm; break-inside: avoid; overflow: hidden }
svg { width: 34mm; height: 34mm; flex: none }
h1 { font-size: 13pt; margin: 0 0 1mm; overflow-wrap: anywhere }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .3mm 2mm }
dt { color: #444 } dd { margin: 0; font-family: monospace; overflow-wrap: anywhere }
</style>
";

fn svg(code: &QrCode) -> String {
    const MARGIN: i32 = 4;
    let side = code.size() + 2 * MARGIN;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _infallible = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    format!(
        "<svg viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if "\\;,:\"".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn safe(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
