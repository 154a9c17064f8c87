//! What every request passes on its way in and every answer on its way out.

use super::answer::Refused;
use super::hall::Hall;
use crate::moment::millis;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::Duration;

/// The cookie of a session.
pub(super) const COOKIE: &str = "trapline_page";
/// Our own script sends this with whatever changes something; another site's page cannot
/// without being asked about it first.
const OURS: &str = "x-trapline";
/// A request that takes longer, its body included, has failed.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(90);

const GUARDS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Adds the headers that guard a browser, and ends what takes too long.
pub(super) async fn every(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| {
        Refused::new(StatusCode::REQUEST_TIMEOUT, "this took too long").into_response()
    });
    for &(name, value) in GUARDS {
        let headers = response.headers_mut();
        // A picture says itself how long a phone may keep it.
        let guard = headers.entry(HeaderName::from_static(name));
        guard.or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets only our own page change something.
pub(super) async fn own_page(request: Request, next: Next) -> Response {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    if changes && !is_ours(request.headers()) {
        let message = "this request comes from another site's page";
        return Refused::new(StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

/// Lets only sessions in; their use keeps the page open.
pub(super) async fn session(
    State(hall): State<Arc<Hall>>,
    request: Request,
    next: Next,
) -> Response {
    let is_known = token(request.headers()).is_some_and(|token| hall.door.knows(token));
    if !is_known {
        let message = "type the password that the display shows";
        return Refused::new(StatusCode::UNAUTHORIZED, message).into_response();
    }
    hall.desk.page.used();
    let until_ms = hall.desk.clock.stamp().uptime_ms + millis(hall.desk.config.page.idle);
    hall.desk.power.hold.until(until_ms);
    next.run(request).await
}

/// The token that a request carries.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (name, token) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(token)
    })
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if !headers.contains_key(OURS) {
        return false;
    }
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn only_our_own_page_changes_things() {
        let ours = |pairs| is_ours(&headers(pairs));
        assert!(ours(&[("x-trapline", "1")]));
        let same = [
            ("x-trapline", "1"),
            ("host", "10.42.0.1:8080"),
            ("origin", "http://10.42.0.1:8080"),
        ];
        assert!(ours(&same));
        assert!(!ours(&[]));
        assert!(!ours(&[("sec-fetch-site", "same-origin")]));
        assert!(!ours(&[
            ("x-trapline", "1"),
            ("sec-fetch-site", "cross-site")
        ]));
        let other = [("x-trapline", "1"), ("host", "a"), ("origin", "http://b")];
        assert!(!ours(&other));
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let many = headers(&[("cookie", "a=b; trapline_page=secret; c")]);
        assert_eq!(token(&many), Some("secret"));
        assert_eq!(token(&headers(&[("cookie", "xtrapline_page=no")])), None);
    }
}
