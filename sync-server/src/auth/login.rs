//! Login, logout, and who am I.

use super::limiter::Subject;
use super::password::PASSWORD_BYTES_MAX;
use super::{COOKIE, Researcher, password};
use crate::body;
use crate::db::User;
use crate::problem::{Failure, Refused, bad_request, json, refuse};
use crate::state::{Shared, State};
use axum::Router;
use axum::body::Body;
use axum::extract::{self, ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::PoisonError;
use trapline_wire::Sha256;
use trapline_wire::read::Me;

/// Sessions end after thirty days.
const SESSION_SECONDS: i64 = 30 * 24 * 3600;
const LOGIN_BYTES_MAX: usize = 4 * 1024;

/// `/api/v1/login`, `/logout` and `/me`.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/api/v1/login", post(login))
        .route("/api/v1/logout", post(logout))
        .route("/api/v1/me", get(me))
        .layer(middleware::from_fn(super::origin::check))
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

async fn login(
    extract::State(state): extract::State<State>,
    Peer(peer): Peer,
    body: Body,
) -> Result<Response, Failure> {
    let bytes = body::read_whole(body, LOGIN_BYTES_MAX).await?;
    let login: Login = serde_json::from_slice(&bytes).map_err(|error| {
        bad_request(format!(
            "`{{\"name\": …, \"password\": …}}` is needed: {error}"
        ))
    })?;
    let peer = match (&peer.forwarded, state.shared().settings.behind_proxy) {
        (Some(forwarded), true) => forwarded.clone(),
        _ => peer.address,
    };
    let subjects = [Subject::Name(login.name.clone()), Subject::Peer(peer)];
    admit(&state, &subjects)?;
    let permit = state
        .shared()
        .password_checks
        .acquire()
        .await
        .map_err(|error| Failure::Broken(error.to_string()))?;
    let name = login.name.clone();
    let started = state.work(move |shared| start(shared, &login)).await?;
    drop(permit);
    let Some((user, token)) = started else {
        log::warn!("failed login as {name:?} from {subjects:?}");
        return Err(refuse(
            StatusCode::UNAUTHORIZED,
            "bad_login",
            "name and password do not fit",
        ));
    };
    {
        let mut limiter = limiter(state.shared());
        for subject in &subjects {
            limiter.forgive(subject);
        }
    }
    let mut response = json(StatusCode::OK, &Me { name: user.name });
    set_cookie(&mut response, state.shared(), &token, SESSION_SECONDS);
    Ok(response)
}

/// Refuses who failed too often, else counts the try.
fn admit(state: &State, subjects: &[Subject]) -> Result<(), Failure> {
    let now_ms = state.now_ms();
    let mut limiter = limiter(state.shared());
    let wait_ms = subjects
        .iter()
        .filter_map(|subject| limiter.wait_ms(subject, now_ms))
        .max();
    if let Some(wait_ms) = wait_ms {
        return Err(Failure::Refused(Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            error: "slow_down",
            message: "too many failed logins: wait, then try again".to_owned(),
            retry_after_s: Some(u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000).max(1)),
        }));
    }
    for subject in subjects {
        limiter.note(subject, now_ms);
    }
    Ok(())
}

fn limiter(shared: &Shared) -> std::sync::MutexGuard<'_, super::limiter::Limiter> {
    shared
        .limiter
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Checks the password and starts a session; `None` when it does not fit.
fn start(shared: &Shared, login: &Login) -> Result<Option<(User, String)>, Failure> {
    let user = shared.reader().user(&login.name)?;
    let stored_hash = user.as_ref().map(|user| user.password_hash.as_str());
    let short = login.password.len() <= PASSWORD_BYTES_MAX;
    let fits = short && password::fits(&login.password, stored_hash)?;
    let Some(user) = user.filter(|_| fits) else {
        return Ok(None);
    };
    let token = URL_SAFE_NO_PAD.encode(shared.random::<32>());
    let fingerprint = Sha256::of(token.as_bytes());
    let now_ms = shared.now_ms();
    let expires_ms = now_ms + SESSION_SECONDS * 1000;
    let started = shared
        .writer()
        .start_session(&user, &fingerprint, expires_ms, now_ms)?;
    Ok(started.then_some((user, token)))
}

async fn logout(
    extract::State(state): extract::State<State>,
    researcher: Researcher,
) -> Result<Response, Failure> {
    let token = researcher.session.token;
    state
        .work(move |shared| shared.writer().end_session(&token))
        .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, state.shared(), "", 0);
    Ok(response)
}

async fn me(researcher: Researcher) -> Response {
    let name = researcher.session.user_name;
    json(StatusCode::OK, &Me { name })
}

fn set_cookie(response: &mut Response, shared: &Shared, token: &str, seconds: i64) {
    let secure = if shared.settings.https {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

/// Where a request comes from: the connection's address, and what a proxy says.
struct Peer(PeerNames);

struct PeerNames {
    address: String,
    forwarded: Option<String>,
}

impl FromRequestParts<State> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Infallible> {
        let address = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or_else(|| "unknown".to_owned(), |info| info.0.ip().to_string());
        // The last entry is the one that the proxy itself added.
        let forwarded = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .map(|name| name.trim().chars().take(64).collect());
        Ok(Self(PeerNames { address, forwarded }))
    }
}
