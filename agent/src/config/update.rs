//! `[update]`: updates of the whole system.

use super::check::Checker;
use super::written::parse_window;
use crate::update::UPDATE_DIR;
use std::path::PathBuf;
use trapline_hal::pi::boot_slot::booted_slot;

/// `[update]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateConfig {
    /// The folder of updates; without it there are none.
    pub dir: Option<PathBuf>,
    /// When the trap may start anew for an update: a window of local time in milliseconds of
    /// the day; `None` for any time.
    pub window: Option<crate::schedule::Window>,
}

impl Checker<'_> {
    pub(super) fn update(&mut self) -> UpdateConfig {
        let dir = self.text("update.dir");
        let at = self.text("update.at");
        let window = match at.as_str() {
            "any" => None,
            text => {
                let window = parse_window(text);
                if window.is_none() {
                    let message = format!(
                        "`update.at` needs \"any\" or a window like \"01:00..04:00\", not {text:?}"
                    );
                    self.complain("update.at", message);
                }
                window
            }
        };
        UpdateConfig {
            dir: if dir.is_empty() {
                booted_slot().map(|_| PathBuf::from(UPDATE_DIR))
            } else {
                Some(PathBuf::from(dir))
            },
            window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<UpdateConfig, String> {
        let text = format!("[camera]\nkind = \"none\"\n[update]\n{text}");
        Config::from_text("test", &text)
            .map(|config| config.update)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn updates_are_off_unless_there_is_a_folder_for_them() {
        let update = read("").unwrap();
        assert_eq!((update.dir, update.window), (None, None));
        let update = read("dir = \"/data/update\"\nat = \"22:00..04:00\"").unwrap();
        assert_eq!(update.dir, Some(PathBuf::from("/data/update")));
        assert!(update.window.is_some());
        let why = read("at = \"night\"").unwrap_err();
        assert!(why.contains("\"01:00..04:00\", not \"night\""), "{why}");
    }
}
