//! What researchers see and decide: tokens, traps that wait, cards that are copies.

use crate::auth::Researcher;
use crate::body;
use crate::db::{
    CardListed, Decided, Decision, NewToken, ParkedListed, PendingListed, TokenListed,
};
use crate::problem::{Failure, bad_request, json, not_found, refuse};
use crate::state::State;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trapline_wire::{EnrolCode, EnrolToken};

const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// A token enrols at most so many traps.
pub(crate) const USES_MAX: u32 = 10_000;
/// A token lives at most so long.
pub(crate) const DAYS_MAX: u32 = 3_650;
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;
const NAME_CHARS_MAX: usize = 80;
/// A number is added to it.
const PREFIX_CHARS_MAX: usize = 60;

#[derive(Serialize)]
struct Overview {
    tokens: Vec<TokenListed>,
    pending: Vec<PendingListed>,
    cards: Vec<CardListed>,
    parked: Vec<ParkedListed>,
}

/// `GET /api/v1/enrolment`
pub(super) async fn overview(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
) -> Result<Response, Failure> {
    let overview = state
        .work(|shared| {
            let now_ms = shared.now_ms();
            let db = shared.reader();
            Ok(Overview {
                tokens: db.tokens(now_ms)?,
                pending: db.pending()?,
                cards: db.cards_in_question()?,
                parked: db.parked_traps()?,
            })
        })
        .await?;
    Ok(json(StatusCode::OK, &overview))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    uses: u32,
    days: u32,
    #[serde(default)]
    prefix: String,
}

/// `POST /api/v1/enrolment/tokens`: the only answer that shows the token.
pub(super) async fn make_token(
    extract::State(state): extract::State<State>,
    researcher: Researcher,
    body: Body,
) -> Result<Response, Failure> {
    let wanted: Wanted = read(body).await?;
    if !(1..=USES_MAX).contains(&wanted.uses) || !(1..=DAYS_MAX).contains(&wanted.days) {
        return Err(bad_request(format!(
            "a token is for 1 to {USES_MAX} traps and 1 to {DAYS_MAX} days"
        )));
    }
    if !wanted.prefix.is_empty() && !is_name(&wanted.prefix, PREFIX_CHARS_MAX) {
        return Err(bad_request(format!(
            "what names begin with has at most {PREFIX_CHARS_MAX} characters"
        )));
    }
    let by = researcher.session.user_name;
    let made = state
        .work(move |shared| {
            let now_ms = shared.now_ms();
            let token = EnrolToken::from_random(&shared.random());
            let expires_ms = now_ms + i64::from(wanted.days) * DAY_MS;
            let new = NewToken {
                prefix: &wanted.prefix,
                uses_max: wanted.uses,
                expires_ms,
                made_by: &by,
            };
            shared.writer().add_token(&token, &new, now_ms)?;
            let (qr, qr_modules) = drawn(token.reveal());
            Ok(serde_json::json!({
                "qr": qr, "qr_modules": qr_modules, "id": token.id(), "token": token.reveal(), "expires_ms": expires_ms,
                "uses": wanted.uses, "prefix": wanted.prefix,
            }))
        })
        .await?;
    Ok(json(StatusCode::OK, &made))
}

/// A QR code as the path of an SVG, one unit for each module, and its modules on a side.
fn drawn(text: &str) -> (String, i32) {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return (String::new(), 0);
    };
    let side = code.size();
    let modules = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let dark = modules.filter(|(x, y)| code.get_module(*x, *y));
    let squares: Vec<String> = dark.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
    (squares.concat(), side)
}

/// `POST /api/v1/enrolment/tokens/{id}/revoke`
pub(super) async fn revoke_token(
    extract::State(state): extract::State<State>,
    _researcher: Researcher,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let revoked = state
        .work(move |shared| {
            let now_ms = shared.now_ms();
            shared.writer().revoke_token(&id, now_ms)
        })
        .await?;
    done(revoked, "there is no such token, or it is revoked already")
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision", deny_unknown_fields)]
enum About {
    Accept { name: Option<String> },
    Dismiss {},
}

/// `POST /api/v1/enrolment/pending/{code}`
pub(super) async fn decide(
    extract::State(state): extract::State<State>,
    researcher: Researcher,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let about: About = read(body).await?;
    let code: EnrolCode = code
        .parse()
        .map_err(|error| bad_request(format!("{error}")))?;
    let by = researcher.session.user_name;
    let name = match about {
        About::Dismiss {} => {
            let dismissed = state
                .work(move |shared| shared.writer().dismiss(&code, &by))
                .await?;
            return done(dismissed, NOBODY);
        }
        About::Accept { name } => name.filter(|name| !name.is_empty()),
    };
    if name
        .as_deref()
        .is_some_and(|name| !is_name(name, NAME_CHARS_MAX))
    {
        return Err(bad_request(
            "a name has 1 to 80 characters, no control characters, and no space at its ends",
        ));
    }
    let decided = state
        .work(move |shared| {
            let now_ms = shared.now_ms();
            shared.writer().accept(&code, name.as_deref(), &by, now_ms)
        })
        .await?;
    match decided {
        Decided::Accepted { trap, name } => Ok(json(
            StatusCode::OK,
            &serde_json::json!({ "trap": trap, "name": name }),
        )),
        Decided::Unknown => Err(not_found(NOBODY)),
        Decided::Several => Err(refuse(StatusCode::CONFLICT, "several", SEVERAL)),
        Decided::NameTaken => Err(refuse(
            StatusCode::CONFLICT,
            "name_taken",
            "a trap in use has that name: choose another one",
        )),
    }
}

pub(crate) const NOBODY: &str = "no trap with this code waits: read it again from the trap's display, and check that the      trap reaches this server";
pub(crate) const SEVERAL: &str = "two traps wait with this code, which does not happen by itself: dismiss them, and run      `trapline-agent enrol --anew` at the one that is yours";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolved {
    /// The card, or the beginning of its fingerprint; none for a trap parked as a whole.
    card: Option<String>,
    decision: Decision,
}

/// `POST /api/v1/enrolment/parked/{trap}`
pub(super) async fn resolve(
    extract::State(state): extract::State<State>,
    researcher: Researcher,
    Path(trap): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let Resolved { card, decision } = read(body).await?;
    let by = researcher.session.user_name;
    let resolved = state
        .work(move |shared| match card {
            Some(card) => shared.writer().resolve_card(&trap, &card, decision, &by),
            None => shared.writer().resolve_trap(&trap),
        })
        .await?;
    done(resolved, "no such card of such a trap is parked")
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let bytes = body::read_whole(body, REQUEST_BYTES_MAX).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| bad_request(format!("the body is not what is needed: {error}")))
}

fn done(was_done: bool, else_why: &'static str) -> Result<Response, Failure> {
    if was_done {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(not_found(else_why))
    }
}

fn is_name(name: &str, chars_max: usize) -> bool {
    let fits = (1..=chars_max).contains(&name.chars().count());
    fits && name.trim() == name && !name.chars().any(char::is_control)
}
