//! `[button]`, `[led]`, `[display]` and `[trigger]`: what people touch and see
//! at the trap, and what asks for a picture out of turn.

use super::check::Checker;
use super::written::parse_window;
use crate::schedule::Window;
use std::time::Duration;
use trapline_hal::PanelSize;
use trapline_hal::button::ButtonTimes;
use trapline_hal::drivers::oled::OledChip;
use trapline_hal::lines::{Pull, Wiring};
use trapline_hal::trigger::TriggerLimits;

/// The trap's front; what is `None` is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontConfig {
    /// `[button]`
    pub button: Option<ButtonConfig>,
    /// `[led]`
    pub led: Option<LedConfig>,
    /// `[display]`
    pub display: Option<DisplayConfig>,
    /// `[trigger]`
    pub trigger: Option<TriggerConfig>,
}

/// `[button]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonConfig {
    /// Its line.
    pub line: Wiring,
    /// What pulls the line while nobody presses.
    pub pull: Pull,
    /// What counts as a press.
    pub times: ButtonTimes,
}

/// `[led]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedConfig {
    /// Its line.
    pub line: Wiring,
    /// Whether it says something only to who pressed the button.
    pub only_visits: bool,
    /// When it stays dark although it says something, in local time.
    pub dark: Vec<Window>,
}

/// `[display]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayConfig {
    /// Which.
    pub kind: DisplayKind,
    /// How long it stays awake after a press.
    pub sleep_after: Duration,
    /// How bright it shines, 0 to 255.
    pub contrast: u8,
}

/// Which display a trap has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayKind {
    /// An OLED on an I²C bus.
    Oled {
        /// The chip behind the glass.
        chip: OledChip,
        /// How many pixels it has.
        size: PanelSize,
        /// Number of the bus.
        bus: u32,
        /// Its address there.
        address: u8,
    },
    /// E-paper at the SPI pins of the header, with three more lines.
    Paper {
        /// DC.
        data: Wiring,
        /// RST.
        reset: Wiring,
        /// BUSY.
        busy: Wiring,
    },
}

/// `[trigger]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerConfig {
    /// Its line.
    pub line: Wiring,
    /// What pulls the line while nothing drives it.
    pub pull: Pull,
    /// How often it is heard.
    pub limits: TriggerLimits,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const PULLS: [(&str, Pull); 3] = [("up", Pull::Up), ("down", Pull::Down), ("none", Pull::Not)];

#[derive(Debug, Clone, Copy)]
enum Kind {
    None,
    Oled(OledChip),
    Paper,
}

impl Checker<'_> {
    pub(super) fn front(&mut self) -> FrontConfig {
        FrontConfig {
            button: self.button(),
            led: self.led(),
            display: self.display(),
            trigger: self.trigger(),
        }
    }

    fn button(&mut self) -> Option<ButtonConfig> {
        let pull = self.one_of("button.pull", &PULLS, Pull::Up);
        let long = self.duration("button.long_press", SECOND..=20 * SECOND);
        Some(ButtonConfig {
            line: self.line("button.line")?,
            pull,
            times: ButtonTimes {
                long_ms: crate::moment::millis(long),
                ..ButtonTimes::default()
            },
        })
    }

    fn led(&mut self) -> Option<LedConfig> {
        let only_visits = self.one_of("led.lit", &[("always", false), ("visits", true)], false);
        let mut dark = Vec::new();
        for text in self.list("led.dark") {
            match parse_window(&text) {
                Some(window) => dark.push(window),
                None => self.complain(
                    "led.dark",
                    format!("`led.dark` needs windows like \"21:00..05:00\", not {text:?}"),
                ),
            }
        }
        Some(LedConfig {
            line: self.line("led.line")?,
            only_visits,
            dark,
        })
    }

    fn display(&mut self) -> Option<DisplayConfig> {
        let kinds = [
            ("none", Kind::None),
            ("ssd1306", Kind::Oled(OledChip::Ssd1306)),
            ("sh1106", Kind::Oled(OledChip::Sh1106)),
            ("epaper", Kind::Paper),
        ];
        let kind = self.one_of("display.kind", &kinds, Kind::None);
        let sizes = [
            ("128x64", PanelSize::Oled128x64),
            ("128x32", PanelSize::Oled128x32),
        ];
        let size = self.one_of("display.size", &sizes, PanelSize::Oled128x64);
        let bus = self.small("display.bus", 99);
        let address = self.display_address();
        let lines = ["display.data", "display.reset", "display.busy"].map(|key| self.line(key));
        let sleep_after = self.duration("display.sleep_after", SECOND..=24 * 60 * MINUTE);
        let contrast = self.small("display.contrast", 255);
        let kind = match kind {
            Kind::None => return None,
            Kind::Oled(chip) => DisplayKind::Oled {
                chip,
                size,
                bus,
                address,
            },
            Kind::Paper => {
                let [Some(data), Some(reset), Some(busy)] = lines else {
                    let message = "`display.kind` is \"epaper\": write its lines, `display.data`, \
                                   `display.reset` and `display.busy`";
                    self.complain("display.kind", message.to_owned());
                    return None;
                };
                DisplayKind::Paper { data, reset, busy }
            }
        };
        Some(DisplayConfig {
            kind,
            sleep_after,
            contrast: u8::try_from(contrast).unwrap_or(u8::MAX),
        })
    }

    /// Displays have one of these two, by how a pin of them is soldered.
    fn display_address(&mut self) -> u8 {
        self.one_of("display.address", &[("0x3c", 0x3c), ("0x3d", 0x3d)], 0x3c)
    }

    fn trigger(&mut self) -> Option<TriggerConfig> {
        let pull = self.one_of("trigger.pull", &PULLS, Pull::Down);
        let gap = self.duration("trigger.gap", SECOND..=60 * MINUTE);
        let blocked = self.duration("trigger.blocked_after", 10 * SECOND..=24 * 60 * MINUTE);
        let per_hour_max = self.whole("trigger.per_hour_max", 1, 3_600);
        Some(TriggerConfig {
            line: self.line("trigger.line")?,
            pull,
            limits: TriggerLimits {
                gap_ms: crate::moment::millis(gap),
                per_hour_max: u16::try_from(per_hour_max).unwrap_or(u16::MAX),
                blocked_ms: crate::moment::millis(blocked),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<FrontConfig, String> {
        let text = format!("[camera]\nkind = \"none\"\n{text}");
        Config::from_text("test", &text)
            .map(|config| config.front)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn nothing_is_there_unless_it_is_named() {
        assert_eq!(read("").unwrap(), FrontConfig::default());
    }

    #[test]
    fn a_front_with_everything() {
        let front = read(
            "[button]\nline = \"!GPIO17\"\nlong_press = \"2s\"\n\
             [led]\nline = \"GPIO27\"\nlit = \"visits\"\ndark = [\"21:00..05:00\"]\n\
             [display]\nkind = \"sh1106\"\nbus = 0\naddress = \"0x3d\"\nsleep_after = \"30s\"\n\
             [trigger]\nline = \"gpiochip0:22\"\ngap = \"10s\"",
        )
        .unwrap();
        let button = front.button.unwrap();
        assert_eq!(button.line, "!GPIO17".parse().unwrap());
        assert_eq!((button.times.long_ms, button.pull), (2_000, Pull::Up));
        let led = front.led.unwrap();
        assert!(led.only_visits && led.dark.len() == 1);
        let display = front.display.unwrap();
        let oled = DisplayKind::Oled {
            chip: OledChip::Sh1106,
            size: PanelSize::Oled128x64,
            bus: 0,
            address: 0x3d,
        };
        assert_eq!(display.kind, oled);
        assert_eq!(display.sleep_after, 30 * SECOND);
        assert_eq!(front.trigger.unwrap().limits.gap_ms, 10_000);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        for (text, said) in [
            ("[button]\nline = \"GPIO 17\"", "`GPIO17`"),
            ("[led]\ndark = [\"night\"]", "21:00..05:00"),
            ("[display]\nkind = \"lcd\"", "\"ssd1306\""),
            ("[display]\nkind = \"epaper\"", "`display.busy`"),
            ("[display]\naddress = \"0x44\"", "\"0x3d\""),
            ("[trigger]\nper_hour_max = 0", "1 to 3600"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
