//! What every request shares: database, pictures, clock, chance, and the way
//! blocking work runs.

use crate::auth::limiter::Limiter;
use crate::blobs::Blobs;
use crate::db::Db;
use crate::disk::{Disk, OsDisk};
use crate::problem::Failure;
use crate::uploads::turns::Turns;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives the time, milliseconds since 1970 in UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Fills a buffer with bytes that nobody can guess.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How disk and processor work runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// On threads of their own, so that a slow disk delays nobody else.
    Threads,
    /// At once, on the caller's thread: a simulation in virtual time stays repeatable.
    Inline,
}

/// Everything that a server is started with.
#[derive(Clone)]
pub struct Settings {
    /// The folder of the database and the pictures; made if it is not there.
    pub data: PathBuf,
    /// How disk and processor work runs.
    pub work: Work,
    /// The disk of pictures and uploads.
    pub disk: Arc<dyn Disk>,
    /// The server's time.
    pub clock: Clock,
    /// Where ids and tokens come from.
    pub random: Random,
    /// Below so many free bytes no picture is taken.
    pub free_bytes_min: u64,
    /// Whether browsers come over https, so that the cookie is never sent without.
    pub https: bool,
    /// Whether a proxy in front names the asker in `X-Forwarded-For`.
    pub behind_proxy: bool,
}

impl Settings {
    /// The system's clock and chance, threads, 256 MiB kept free, plain http.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            work: Work::Threads,
            disk: Arc::new(OsDisk),
            clock: Arc::new(system_clock),
            random: Arc::new(system_random),
            free_bytes_min: 256 * 1024 * 1024,
            https: false,
            behind_proxy: false,
        }
    }
}

/// The running server's state; cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// A server could not be started on its data folder, or somebody not be added to it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CannotOpen(String);

impl CannotOpen {
    pub(crate) fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<Failure> for CannotOpen {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) blobs: Blobs,
    pub(crate) turns: Turns,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) password_checks: tokio::sync::Semaphore,
    /// Held while a picture is decoded: one at a time bounds the memory.
    pub(crate) decoding: Mutex<()>,
    writer: Mutex<Db>,
    reader: Mutex<Db>,
}

impl State {
    /// Opens the data folder, brings its database up to date, and clears away
    /// what expired or was left half-made.
    ///
    /// # Errors
    /// When the folder cannot be used, or a newer version made its database.
    pub fn open(settings: Settings) -> Result<Self, CannotOpen> {
        let blobs = Blobs::open(&settings.data, Arc::clone(&settings.disk))?;
        let writer = Db::open(&settings.data)?;
        let reader = Db::open(&settings.data)?;
        let shared = Shared {
            blobs,
            turns: Turns::default(),
            limiter: Mutex::default(),
            // Each check takes 19 MiB and a processor: two at a time are enough for a laboratory.
            password_checks: tokio::sync::Semaphore::new(2),
            decoding: Mutex::default(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            settings,
        };
        crate::uploads::expire(&shared)?;
        crate::uploads::remove_orphans(&shared)?;
        Ok(Self(Arc::new(shared)))
    }

    /// Runs `job` as [`Settings::work`] says. It runs to its end even when nobody
    /// waits for it any more.
    pub(crate) async fn work<T, F>(&self, job: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T, Failure> + Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        match self.0.settings.work {
            Work::Inline => job(&shared),
            Work::Threads => tokio::task::spawn_blocking(move || job(&shared))
                .await
                .map_err(|error| Failure::Broken(format!("a job ended badly: {error}")))?,
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }
}

impl Shared {
    /// The connection that writes. A panic while it was held rolled its
    /// transaction back, so a poisoned lock is as good as a clean one.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Db> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that researchers' questions use, so that they never delay a trap.
    pub(crate) fn reader(&self) -> MutexGuard<'_, Db> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.settings.clock)()
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.settings.random)(&mut bytes);
        bytes
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the server's real clock is read"
)]
pub(crate) fn system_clock() -> i64 {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn system_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
