//! The technician's page: a small page of the trap itself for a phone in the rain.
//!
//! Off by default. Where the settings name an address it is opened by the
//! button, after a start while nobody has told where the trap stands, or for
//! good (`page.open`), and closes after a while without use. While it is closed
//! nothing listens and nothing is kept; while it is open a stage of its own
//! ([`Tend`]) serves it, so a capture never waits for it: pictures are asked of
//! the capture stage, which puts planned shots first, and what takes time is
//! done on one thread beside it, one thing at a time.
//!
//! Without the password, which the display shows, nothing can be read but the
//! bare page, and nothing can be written. There is no shell and no way to change
//! settings: what the page writes are a deployment, a picture out of turn, and
//! the time of a clock that nobody trusts.

mod address;
mod answer;
mod checks;
mod door;
mod focus;
mod guard;
mod hall;
pub mod password;
mod pictures;
mod place;
mod routes;
pub mod smaller;
mod state;
mod tend;

pub use tend::Tend;

use crate::config::Config;
use crate::desk::Wakes;
use crate::screen::Invitation;
use password::Password;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A setting as people may see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownSetting {
    /// Its key.
    pub key: String,
    /// Its value; secrets are hidden.
    pub value: String,
    /// Where it was written.
    pub origin: String,
}

/// Opens and closes the page, and says how to get there.
#[derive(Debug)]
pub struct Page {
    listen: Option<SocketAddr>,
    is_always: bool,
    idle: Duration,
    named: Option<String>,
    wakes: Arc<Wakes>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    until: Option<Instant>,
    settings: Arc<Vec<ShownSetting>>,
    /// While somebody can come in.
    way_in: Option<(String, Password)>,
}

impl Page {
    /// The page as the settings want it, closed unless they say `always`.
    #[must_use]
    pub fn new(config: &Config, wakes: Arc<Wakes>) -> Self {
        let settings = &config.page;
        Self {
            listen: settings.listen,
            is_always: settings.always,
            idle: settings.idle,
            named: settings.address.clone(),
            wakes,
            now: Mutex::default(),
        }
    }

    /// The settings that the page shows to whoever knows the password.
    pub fn show_settings(&self, settings: Vec<ShownSetting>) {
        self.lock().settings = Arc::new(settings);
    }

    /// Opens the page for so long, or for longer if it is open for longer; use keeps it open.
    /// `false` when the settings name no address to listen on.
    pub fn open(&self, open_for: Duration) -> bool {
        if self.listen.is_none() {
            return false;
        }
        let until = Instant::now() + open_for;
        let mut now = self.lock();
        now.until = now.until.max(Some(until));
        drop(now);
        self.wakes.page.notify_one();
        true
    }

    /// Closes the page after so long, unless the settings want it open always.
    pub fn close(&self, after: Duration) {
        self.lock().until = Some(Instant::now() + after);
        self.wakes.page.notify_one();
    }

    /// Whether it can be reached, or is about to be.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.left() > Duration::ZERO
    }

    /// How long it stays open if nobody uses it; `Duration::MAX` is always.
    #[must_use]
    pub fn left(&self) -> Duration {
        if self.listen.is_none() {
            return Duration::ZERO;
        }
        if self.is_always {
            return Duration::MAX;
        }
        let until = self.lock().until;
        until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// What the display shows while the page can be reached.
    #[must_use]
    pub fn invitation(&self) -> Option<Invitation> {
        let now = self.lock();
        let (address, password) = now.way_in.as_ref()?;
        Some(Invitation {
            what: "page".to_owned(),
            // A browser keeps what follows the # to itself: the password is in no request.
            scan: format!("{address}/#{}", password.bare()),
            address: address.clone(),
            code: password.shown(),
        })
    }

    /// Somebody who knows the password is here.
    fn used(&self) {
        if self.is_open() {
            let until = Instant::now() + self.idle;
            let mut now = self.lock();
            now.until = now.until.max(Some(until));
        }
    }

    fn settings(&self) -> Arc<Vec<ShownSetting>> {
        Arc::clone(&self.lock().settings)
    }

    fn let_in(&self, way_in: Option<(String, Password)>) {
        self.lock().way_in = way_in;
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
