//! Who asks: a trap by its key, or a researcher by the session cookie.
//!
//! Both are extractors: a handler that takes a [`Trap`] or a [`Researcher`]
//! cannot run without one, and `tests/it` walks over all routes to see that
//! none forgets.

pub(crate) mod limiter;
pub(crate) mod login;
pub(crate) mod origin;
pub(crate) mod password;
pub(crate) mod peer;

use crate::db::{Device, Session};
use crate::problem::{Failure, refuse};
use crate::state::State;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use trapline_wire::{Sha256, TrapId, TrapKey};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "trapline_session";
/// A trap that talks all the time is noted as heard from this often.
const CONTACT_EVERY_MS: i64 = 10_000;

/// A trap that showed its key.
#[derive(Debug, Clone)]
pub(crate) struct Trap {
    pub(crate) number: i64,
    pub(crate) id: TrapId,
}

impl FromRequestParts<State> for Trap {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failure> {
        let Some(key) = bearer(&parts.headers) else {
            return Err(bad_key(
                "a trap's key is needed: `Authorization: Bearer trapk_…`",
            ));
        };
        let device = device(&parts.headers);
        let key: TrapKey = key.parse().map_err(|error| bad_key(format!("{error}")))?;
        state
            .work(move |shared| {
                let now_ms = shared.now_ms();
                let Some(trap) = shared.reader().trap_by_key(&key.fingerprint())? else {
                    return Err(bad_key(
                        "this key is not known here, or was revoked: \
                         `trapline-server trap add NAME` makes a new one",
                    ));
                };
                let quiet_ms = trap.last_contact_ms.map(|heard_ms| now_ms - heard_ms);
                let is_recent =
                    quiet_ms.is_some_and(|quiet_ms| (0..CONTACT_EVERY_MS).contains(&quiet_ms));
                if !is_recent || trap.seen.is_empty() || trap.seen != device.seen() {
                    let standing = shared.writer().meet(trap.number, &device, now_ms)?;
                    if let Some(complaint) = standing.complaint() {
                        return Err(refuse(StatusCode::FORBIDDEN, "parked", complaint));
                    }
                }
                Ok(Self {
                    number: trap.number,
                    id: trap.id,
                })
            })
            .await
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// What the device says of itself; anything odd counts as nothing said.
fn device(headers: &HeaderMap) -> Device {
    let said = |name: &str| {
        let text = headers.get(name).and_then(|value| value.to_str().ok());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let text = text.filter(|text| text.len() <= 64 && text.chars().all(is_plain));
        text.unwrap_or_default().to_owned()
    };
    Device {
        card: said("trapline-card"),
        board: said("trapline-board"),
        boot: said("trapline-boot"),
    }
}

fn bad_key(message: impl Into<String>) -> Failure {
    refuse(StatusCode::UNAUTHORIZED, "bad_key", message)
}

/// A researcher who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Researcher {
    pub(crate) session: Session,
}

impl FromRequestParts<State> for Researcher {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failure> {
        let not_logged_in = || refuse(StatusCode::UNAUTHORIZED, "not_logged_in", "log in first");
        let token = cookie(&parts.headers).ok_or_else(not_logged_in)?;
        let fingerprint = Sha256::of(token.as_bytes());
        state
            .work(move |shared| {
                let session = shared.reader().session(fingerprint, shared.now_ms())?;
                session.map(|session| Self { session }).ok_or_else(|| {
                    refuse(
                        StatusCode::UNAUTHORIZED,
                        "not_logged_in",
                        "the session has ended: log in again",
                    )
                })
            })
            .await
    }
}

/// The value of the session cookie, which may stand among others.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
        .filter(|token| token.len() <= 200)
}
