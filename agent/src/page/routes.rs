//! Every address of the page, and who may ask for it.

use super::answer::{Refused, json, read_json, sent};
use super::door::Outside;
use super::hall::Hall;
use super::tend::Peer;
use super::{checks, focus, guard, pictures, place, state};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const HTML: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
const ICON: &str = include_str!("assets/icon.svg");

const LOGIN_BYTES_MAX: usize = 1_000;
/// Time for the last answer to arrive.
const CLOSED_AFTER: Duration = Duration::from_secs(1);
/// A wrong password is answered after this.
const WRONG_AFTER: Duration = Duration::from_millis(500);

/// The whole page.
pub(super) fn router(hall: Arc<Hall>) -> Router {
    let inside = Router::new()
        .route("/api/state", get(state::now))
        .route("/api/focus", post(focus::look))
        .route("/api/pictures", get(pictures::list))
        .route("/api/pictures/{id}/{side}", get(pictures::one))
        .route("/api/shot", post(pictures::shoot))
        .route("/api/checks", get(checks::now))
        .route("/api/checks/{kind}", post(checks::start))
        .route("/api/time", post(place::set_clock))
        .route(
            "/api/deployments",
            get(place::deployments).post(place::tell),
        )
        .route("/api/deployments/{seq}/photo", get(place::photo))
        .route("/api/settings", get(state::settings))
        .route("/api/log", get(state::log))
        .route("/api/logout", post(leave))
        .route("/api/close", post(close))
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&hall),
            guard::session,
        ));
    Router::new()
        .route("/", get(async || sent(HTML, "text/html; charset=utf-8")))
        .route(
            "/page.css",
            get(async || sent(STYLE, "text/css; charset=utf-8")),
        )
        .route(
            "/page.js",
            get(async || sent(SCRIPT, "text/javascript; charset=utf-8")),
        )
        .route("/icon.svg", get(async || sent(ICON, "image/svg+xml")))
        .route("/api/login", post(enter))
        .merge(inside)
        .fallback(async || Refused::unknown())
        .layer(middleware::from_fn(guard::own_page))
        .layer(middleware::from_fn(guard::every))
        .with_state(hall)
}

#[derive(Deserialize)]
struct Login {
    password: String,
}

#[derive(Serialize)]
struct Done {
    done: bool,
}

async fn enter(
    State(hall): State<Arc<Hall>>,
    Extension(Peer(from)): Extension<Peer>,
    body: Body,
) -> Result<Response, Refused> {
    let login: Login = read_json(body, LOGIN_BYTES_MAX).await?;
    match hall.door.enter(from, &login.password) {
        Ok(token) => {
            hall.desk.page.used();
            log::info!("somebody with the password is on the technician's page");
            let mut response = json(&Done { done: true });
            set_cookie(&mut response, &token, "");
            Ok(response)
        }
        Err(Outside::Wrong) => {
            log::warn!("a wrong password for the technician's page from {from}");
            tokio::time::sleep(WRONG_AFTER).await;
            let message = "this is not the password that the display shows";
            Err(Refused::new(StatusCode::UNAUTHORIZED, message))
        }
        Err(Outside::Wait(wait)) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("too many wrong passwords: wait {seconds} s, then try again");
            Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, message))
        }
        Err(Outside::NoToken) => Err(Refused::trouble("the trap has no random numbers")),
    }
}

async fn leave(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    if let Some(token) = guard::token(&headers) {
        hall.door.leave(token);
    }
    let mut response = json(&Done { done: true });
    set_cookie(&mut response, "", "; Max-Age=0");
    response
}

/// Closes the page as soon as this is answered.
async fn close(State(hall): State<Arc<Hall>>) -> Response {
    hall.desk.page.close(CLOSED_AFTER);
    let mut response = json(&Done { done: true }).into_response();
    set_cookie(&mut response, "", "; Max-Age=0");
    response
}

fn set_cookie(response: &mut Response, token: &str, more: &str) {
    let name = guard::COOKIE;
    let text = format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/{more}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}
