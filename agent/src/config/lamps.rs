//! `[lamp]` and `[attract]`: the light for the pictures, and the one that attracts.

use super::check::{Checker, MINUTE, SECOND};
use super::written::parse_window;
use crate::schedule::Window;
use std::time::Duration;
use trapline_hal::lamp::Order;
use trapline_hal::lines::{Level, OutputKind, Wiring};

/// How a lamp is wired and how bright it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LampWiring {
    /// Its line.
    pub line: Wiring,
    /// Whether it can be dimmed.
    pub kind: OutputKind,
    /// How bright it is lit.
    pub level: Level,
    /// It is never on for longer, whatever happens.
    pub max_on: Duration,
}

impl LampWiring {
    /// What its guard is told.
    #[must_use]
    pub fn order(&self) -> Order {
        Order {
            wiring: self.line.clone(),
            kind: self.kind,
            cap_ms: crate::moment::millis(self.max_on),
        }
    }
}

/// `[lamp]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashConfig {
    /// The lamp.
    pub lamp: LampWiring,
    /// How long it is on before the camera begins.
    pub lead: Duration,
}

/// `[attract]`
#[derive(Debug, Clone, PartialEq)]
pub struct AttractConfig {
    /// The lamp.
    pub lamp: LampWiring,
    /// When it is lit, in local time; none given means day and night.
    pub windows: Vec<Window>,
    /// It stays dark while the light sensor says more.
    pub dark_below_lux: Option<f64>,
}

impl Checker<'_> {
    pub(super) fn flash(&mut self) -> Option<FlashConfig> {
        let lead = self.duration("lamp.lead", Duration::ZERO..=10 * SECOND);
        let lamp = self.lamp("lamp", SECOND..=10 * MINUTE)?;
        if lead >= lamp.max_on {
            let message = "`lamp.max_on` has to be longer than `lamp.lead`, or the lamp is dark \
                           before the picture";
            self.complain("lamp.max_on", message.to_owned());
        }
        Some(FlashConfig { lamp, lead })
    }

    pub(super) fn attract(&mut self) -> Option<AttractConfig> {
        let mut windows = Vec::new();
        for text in self.list("attract.windows") {
            match parse_window(&text) {
                Some(window) => windows.push(window),
                None => self.complain(
                    "attract.windows",
                    format!("`attract.windows` needs windows like \"21:00..23:30\", not {text:?}"),
                ),
            }
        }
        let lux = self.small("attract.dark_below_lux", 200_000);
        // The light is lit anew each half of this time, and the stage looks after it each minute.
        let lamp = self.lamp("attract", 5 * MINUTE..=24 * 60 * MINUTE)?;
        Some(AttractConfig {
            lamp,
            windows,
            dark_below_lux: (lux > 0).then(|| f64::from(lux)),
        })
    }

    fn lamp(
        &mut self,
        section: &str,
        max_on: std::ops::RangeInclusive<Duration>,
    ) -> Option<LampWiring> {
        let key = |name: &str| format!("{section}.{name}");
        let percent = self.whole(&key("level_percent"), 1, 100);
        let permille = u16::try_from(percent * 10).unwrap_or(u16::MAX);
        let max_on = self.duration(&key("max_on"), max_on);
        let kind = if self.switch(&key("dimmable")) {
            OutputKind::Dimmable
        } else {
            OutputKind::Switch
        };
        if kind == OutputKind::Switch && percent < 100 {
            let level = key("level_percent");
            let message = format!(
                "`{level}` is below 100, but only a lamp with `{}` can be dimmed",
                key("dimmable")
            );
            self.complain(&level, message);
        }
        Some(LampWiring {
            line: self.line(&key("line"))?,
            kind,
            level: Level::new(permille).unwrap_or(Level::FULL),
            max_on,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Config, String> {
        let text = format!("[camera]\nkind = \"none\"\n{text}\n");
        Config::from_text("agent.toml", &text).map_err(|e| e.to_string())
    }

    #[test]
    fn without_a_line_there_is_no_lamp() {
        let config = read("").unwrap();
        assert_eq!((config.flash, config.attract), (None, None));
    }

    #[test]
    fn a_lamp_for_pictures() {
        let text =
            "[lamp]\nline = \"pwmchip0:1\"\ndimmable = true\nlevel_percent = 60\nlead = \"1s\"";
        let flash = read(text).unwrap().flash.unwrap();
        assert_eq!(flash.lamp.level.permille(), 600);
        assert_eq!(flash.lead, SECOND);
        let order = flash.lamp.order().to_args();
        assert_eq!(order, ["pwmchip0:1", "dim", "30000"]);
    }

    #[test]
    fn a_light_that_attracts() {
        let text =
            "[attract]\nline = \"!GPIO23\"\nwindows = [\"21:00..01:00\"]\ndark_below_lux = 50";
        let attract = read(text).unwrap().attract.unwrap();
        assert_eq!(attract.windows.len(), 1);
        assert_eq!(attract.dark_below_lux, Some(50.0));
        assert!(attract.lamp.line.active_low);
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let cases = [
            ("[lamp]\nline = \"GPIO 5\"", "`lamp.line`"),
            (
                "[lamp]\nline = \"GPIO5\"\nlevel_percent = 50",
                "lamp.dimmable",
            ),
            (
                "[lamp]\nline = \"GPIO5\"\nlead = \"2s\"\nmax_on = \"1s\"",
                "longer than",
            ),
            ("[attract]\nwindows = [\"late\"]", "21:00..23:30"),
            ("[attract]\nmax_on = \"1m\"", "attract.max_on"),
        ];
        for (text, words) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
