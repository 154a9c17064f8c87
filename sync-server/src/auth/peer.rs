//! Where a request comes from, for counting failures.

use crate::state::State;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::SocketAddr;

/// The connection's address; behind a proxy, whom the proxy names.
pub(crate) struct Peer(pub(crate) String);

impl FromRequestParts<State> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        // The last entry is the one that the proxy itself added.
        let forwarded = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .map(|name| name.trim().chars().take(64).collect());
        let address = || {
            let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            info.map_or_else(|| "unknown".to_owned(), |info| info.0.ip().to_string())
        };
        let named = forwarded.filter(|_| state.shared().settings.behind_proxy);
        Ok(Self(named.unwrap_or_else(address)))
    }
}
