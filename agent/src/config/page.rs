//! `[page]`: the technician's page.

use super::check::Checker;
use std::net::SocketAddr;
use std::time::Duration;

/// `[page]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageConfig {
    /// Where it listens; without it there is no page.
    pub listen: Option<SocketAddr>,
    /// Whether it can be reached all the time.
    pub always: bool,
    /// After so long without use it closes.
    pub idle: Duration,
    /// The address that is shown instead of the one that is found.
    pub address: Option<String>,
}

impl Checker<'_> {
    pub(super) fn page(&mut self) -> PageConfig {
        let words = [("asked", false), ("always", true)];
        let minute = Duration::from_mins(1);
        PageConfig {
            listen: self.listen("page.listen"),
            always: self.one_of("page.open", &words, false),
            idle: self.duration("page.idle", minute..=24 * 60 * minute),
            address: self.page_address("page.address"),
        }
    }

    fn listen(&mut self, key: &str) -> Option<SocketAddr> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        let listen = text.parse().ok();
        if listen.is_none() {
            let message =
                format!("`{key}` needs an address with a port like \"0.0.0.0:8080\", not {text:?}");
            self.complain(key, message);
        }
        listen
    }

    fn page_address(&mut self, key: &str) -> Option<String> {
        let text = self.text(key);
        let text = text.trim_end_matches('/').to_owned();
        if text.is_empty() {
            return None;
        }
        let is_address = text.strip_prefix("http://").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && c != '#')
        });
        if !is_address {
            let message =
                format!("`{key}` needs an address like \"http://192.168.4.1:8080\", not {text:?}");
            self.complain(key, message);
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<PageConfig, String> {
        let text = format!("[camera]\nkind = \"none\"\n[page]\n{text}");
        Config::from_text("test", &text)
            .map(|config| config.page)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn there_is_no_page_unless_somebody_wants_one() {
        let page = read("").unwrap();
        assert_eq!((page.listen, page.always), (None, false));
        let page = read("listen = \"0.0.0.0:8080\"\nopen = \"always\"").unwrap();
        assert_eq!(page.listen.map(|at| at.port()), Some(8080));
        assert!(page.always);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let why = read("listen = \"8080\"").unwrap_err();
        assert!(why.contains("\"0.0.0.0:8080\", not \"8080\""), "{why}");
        let why = read("address = \"trap\"").unwrap_err();
        assert!(why.contains("\"http://192.168.4.1:8080\", not"), "{why}");
        assert!(read("open = \"never\"").is_err());
        assert!(read("idle = \"5s\"").is_err());
    }
}
