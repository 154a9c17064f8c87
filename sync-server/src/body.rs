//! Reading what a client sends, with an end to every wait and every size.

use crate::problem::{Failure, refuse, too_large};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use std::time::Duration;

/// A client that sends nothing for so long is gone; its trap comes again.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Why no more bytes come although the body did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The connection broke.
    Broken,
    /// Nothing came for a minute.
    Idle,
}

/// The next bytes of a body; `None` at its end.
pub(crate) async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Cut> {
    loop {
        match tokio::time::timeout(IDLE_MAX, body.frame()).await {
            Err(_) => return Err(Cut::Idle),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Cut::Broken),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                // Trailers say nothing that we read.
                Err(_) => {}
            },
        }
    }
}

/// The whole body, if it is not larger than `bytes_max`.
pub(crate) async fn read_whole(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut whole = Vec::new();
    loop {
        match next_chunk(&mut body).await {
            Ok(None) => return Ok(whole),
            Ok(Some(chunk)) if whole.len() + chunk.len() > bytes_max => {
                return Err(too_large(format!(
                    "the body is larger than {bytes_max} bytes: send it in parts"
                )));
            }
            Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
            Err(cut) => return Err(cut_off(cut)),
        }
    }
}

/// Reads what is left, up to `bytes_max`, so that the client hears the answer
/// instead of a reset connection.
pub(crate) async fn drain(mut body: Body, bytes_max: u64) {
    let mut left = bytes_max;
    while let Ok(Some(chunk)) = next_chunk(&mut body).await {
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            return;
        }
    }
}

/// What a client that is still there hears of a body that broke off.
pub(crate) fn cut_off(cut: Cut) -> Failure {
    let message = match cut {
        Cut::Broken => "the body broke off: send the request again",
        Cut::Idle => "nothing came for a minute: send the request again",
    };
    refuse(StatusCode::REQUEST_TIMEOUT, "cut_off", message)
}
