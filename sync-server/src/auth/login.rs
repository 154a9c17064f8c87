//! Login, logout, and who am I.

use super::limiter::{self, Subject};
use super::password::PASSWORD_BYTES_MAX;
use super::peer::Peer;
use super::{COOKIE, Researcher, password};
use crate::body;
use crate::db::User;
use crate::problem::{Failure, bad_request, json, refuse};
use crate::state::{Shared, State};
use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
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
    let subjects = [Subject::Name(login.name.clone()), Subject::Peer(peer)];
    limiter::admit(
        &state,
        &subjects,
        "too many failed logins: wait, then try again",
    )?;
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
    limiter::forgive(&state, &subjects);
    let mut response = json(StatusCode::OK, &Me { name: user.name });
    set_cookie(&mut response, state.shared(), &token, SESSION_SECONDS);
    Ok(response)
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
