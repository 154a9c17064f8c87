//! A request that changes something must come from our own pages.
//!
//! `SameSite=Strict` keeps the cookie off other sites' requests already; this
//! also stops another port or subdomain of the same site.

use crate::problem::{Failure, refuse};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// Refuses what changes something and comes from elsewhere: `403 other_origin`.
pub(crate) async fn check(request: Request, next: Next) -> Result<Response, Failure> {
    let changes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if changes && !is_ours(request.headers()) {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "other_origin",
            "this request comes from another site's page",
        ));
    }
    Ok(next.run(request).await)
}

/// A browser names the origin; a script that names none has no cookie to misuse.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let host = origin
        .split_once("://")
        .map(|(_, host)| host.to_ascii_lowercase());
    let asked = text(header::HOST.as_str()).map(str::to_ascii_lowercase);
    host.is_some() && host == asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn check(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_ours(&headers)
    }

    #[test]
    fn only_our_own_pages_change_things() {
        assert!(check(&[]));
        assert!(check(&[
            ("host", "traps.example"),
            ("origin", "https://traps.example")
        ]));
        assert!(check(&[
            ("host", "localhost:8080"),
            ("origin", "http://localhost:8080")
        ]));
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[
            ("host", "traps.example"),
            ("origin", "https://evil.example")
        ]));
        assert!(!check(&[("host", "traps.example"), ("origin", "null")]));
        assert!(!check(&[
            ("host", "localhost:8080"),
            ("origin", "http://localhost:9090")
        ]));
    }
}
