//! Who may come in: the password, the sessions that it starts, and how long
//! somebody who typed a wrong one waits.
//!
//! A wait belongs to one address, is never longer than half a minute, and does
//! not grow by trying meanwhile: nobody can lock the technician out. The
//! password is long enough for that (49 bits against two tries a second).

use super::password::{Password, is_same};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A session ends after so long without use.
const SESSION_IDLE: Duration = Duration::from_hours(2);
/// More phones than this do not stand around a trap; the one that was idle longest goes.
const SESSIONS_MAX: usize = 8;
/// Wrong passwords without a wait.
const FREE_TRIES: u32 = 5;
const WAIT_MIN: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Addresses that are remembered for their wrong passwords.
const ADDRESSES_MAX: usize = 64;

/// The door of an open page.
#[derive(Debug)]
pub(super) struct Door {
    password: Password,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    sessions: Vec<Session>,
    tries: BTreeMap<IpAddr, Tries>,
}

#[derive(Debug)]
struct Session {
    token: String,
    ends: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    not_before: Instant,
}

/// Why somebody stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// The password is wrong.
    Wrong,
    /// It was wrong too often; come back after this.
    Wait(Duration),
    /// The operating system gives no random numbers.
    NoToken,
}

impl Door {
    pub(super) fn new(password: Password) -> Self {
        Self {
            password,
            inside: Mutex::default(),
        }
    }

    /// The token of a new session for whoever types the password.
    pub(super) fn enter(&self, from: IpAddr, typed: &str) -> Result<String, Outside> {
        let now = Instant::now();
        let mut inside = self.lock();
        let tries = inside.tries.get(&from).copied();
        if let Some(tries) = tries
            && tries.not_before > now
        {
            return Err(Outside::Wait(tries.not_before - now));
        }
        if !self.password.fits(typed) {
            inside.note_wrong(from, tries.map_or(0, |tries| tries.wrong) + 1, now);
            return Err(Outside::Wrong);
        }
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|_| Outside::NoToken)?;
        let token = URL_SAFE_NO_PAD.encode(random);
        inside.tries.remove(&from);
        inside.sessions.retain(|session| session.ends > now);
        if inside.sessions.len() >= SESSIONS_MAX {
            inside.sessions.sort_by_key(|session| session.ends);
            inside.sessions.remove(0);
        }
        inside.sessions.push(Session {
            token: token.clone(),
            ends: now + SESSION_IDLE,
        });
        Ok(token)
    }

    /// Whether this is the token of a session, which its use prolongs.
    pub(super) fn knows(&self, token: &str) -> bool {
        let now = Instant::now();
        let mut inside = self.lock();
        let mut sessions = inside.sessions.iter_mut();
        let session = sessions.find(|session| is_same(session.token.as_bytes(), token.as_bytes()));
        match session {
            Some(session) if session.ends > now => {
                session.ends = now + SESSION_IDLE;
                true
            }
            _ => false,
        }
    }

    /// Ends a session.
    pub(super) fn leave(&self, token: &str) {
        let is_other = |session: &Session| !is_same(session.token.as_bytes(), token.as_bytes());
        self.lock().sessions.retain(is_other);
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn note_wrong(&mut self, from: IpAddr, wrong: u32, now: Instant) {
        let doublings = wrong.saturating_sub(FREE_TRIES).min(8);
        let wait = match doublings {
            0 => Duration::ZERO,
            more => (WAIT_MIN * 2_u32.pow(more - 1)).min(WAIT_MAX),
        };
        if self.tries.len() >= ADDRESSES_MAX && !self.tries.contains_key(&from) {
            let soonest = self.tries.iter().min_by_key(|(_, tries)| tries.not_before);
            if let Some(address) = soonest.map(|(address, _)| *address) {
                self.tries.remove(&address);
            }
        }
        let not_before = now + wait;
        self.tries.insert(from, Tries { wrong, not_before });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 42, 0, 7));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 42, 0, 8));

    fn door() -> (Door, String) {
        let dir = tempfile::tempdir().unwrap();
        let password = Password::of_trap(dir.path()).unwrap();
        let typed = password.shown();
        (Door::new(password), typed)
    }

    #[tokio::test(start_paused = true)]
    async fn the_password_starts_a_session_and_nothing_else_does() {
        let (door, password) = door();
        assert_eq!(door.enter(PHONE, "wrong"), Err(Outside::Wrong));
        let token = door.enter(PHONE, &password).unwrap();
        assert!(door.knows(&token));
        assert!(!door.knows(""));
        assert!(!door.knows(&password));
        door.leave(&token);
        assert!(!door.knows(&token));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_without_use_and_goes_on_with_it() {
        let (door, password) = door();
        let token = door.enter(PHONE, &password).unwrap();
        for _ in 0..3 {
            tokio::time::advance(SESSION_IDLE - Duration::from_secs(1)).await;
            assert!(door.knows(&token));
        }
        tokio::time::advance(SESSION_IDLE).await;
        assert!(!door.knows(&token));
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_waits_and_locks_out_nobody() {
        let (door, password) = door();
        for _ in 0..20 {
            let _wrong_or_waiting = door.enter(STRANGER, "guess");
        }
        let Err(Outside::Wait(wait)) = door.enter(STRANGER, &password) else {
            panic!("a stranger who guessed so often waits");
        };
        assert!(wait <= WAIT_MAX);
        assert!(door.enter(PHONE, &password).is_ok(), "others do not wait");
        tokio::time::advance(wait).await;
        assert!(door.enter(STRANGER, &password).is_ok(), "the wait ends");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_of_addresses_and_sessions_is_bounded() {
        let (door, password) = door();
        for last in 0..200 {
            let from = IpAddr::V4(std::net::Ipv4Addr::new(10, 42, 1, last));
            assert_eq!(door.enter(from, "guess"), Err(Outside::Wrong));
        }
        let tokens: Vec<String> = (0..20)
            .map(|_| door.enter(PHONE, &password).unwrap())
            .collect();
        let inside = door.lock();
        assert!(inside.tries.len() <= ADDRESSES_MAX);
        assert_eq!(inside.sessions.len(), SESSIONS_MAX);
        drop(inside);
        assert!(tokens.last().is_some_and(|token| door.knows(token)));
    }
}
