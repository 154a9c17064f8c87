//! `[server]`: where everything goes, and how the trap gets in.

use super::check::Checker;
use super::{Access, ServerConfig};
use trapline_wire::{EnrolToken, TrapKey};

impl Checker<'_> {
    pub(super) fn server(&mut self) -> Option<ServerConfig> {
        let texts = ["server.url", "server.key", "server.token"].map(|key| self.text(key));
        let [url, key, token] = texts.each_ref().map(|text| text.trim());
        let url = url.trim_end_matches('/').to_owned();
        if url.is_empty() {
            for (name, text) in [("server.key", key), ("server.token", token)] {
                if !text.is_empty() {
                    let message =
                        format!("`{name}` is set but `server.url` is not; set both or neither");
                    self.complain(name, message);
                }
            }
            return None;
        }
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let is_host = |c: char| !c.is_whitespace() && !"?#@".contains(c);
        if !host.is_some_and(|h| !h.is_empty() && h.chars().all(is_host)) {
            let message = format!(
                "`server.url` needs an address like \"https://traps.example.org\", not {url:?}"
            );
            self.complain("server.url", message);
        }
        let access = self.access(key, token)?;
        Some(ServerConfig { url, access })
    }

    /// A key is enough; without one the trap enrols itself.
    fn access(&mut self, key: &str, token: &str) -> Option<Access> {
        if !key.is_empty() {
            return match key.parse::<TrapKey>() {
                Ok(key) => Some(Access::Key(key)),
                Err(error) => {
                    let message = format!(
                        "`server.key`: {error}; copy it again from the output of \
                         `trapline-server trap add`"
                    );
                    self.complain("server.key", message);
                    None
                }
            };
        }
        if token.is_empty() {
            return Some(Access::Identity(None));
        }
        match token.parse::<EnrolToken>() {
            Ok(token) => Some(Access::Identity(Some(token))),
            Err(error) => {
                let message = format!(
                    "`server.token`: {error}; copy it again from the output of \
                     `trapline-server enrol`"
                );
                self.complain("server.token", message);
                None
            }
        }
    }
}
