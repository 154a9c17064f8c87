//! How traps become known: `POST /api/v1/enrol` for traps, and what researchers
//! see and decide about it.

pub(crate) mod desk;

use crate::auth::limiter::{self, Subject};
use crate::auth::{origin, peer::Peer};
use crate::body;
use crate::problem::{Failure, bad_request, json, refuse};
use crate::state::State;
use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use trapline_wire::v1::{EnrolAnswer, EnrolReply, EnrolRequest, Hardware, SignedEnrolment};

/// More than any request of a trap.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
const TEXT_CHARS_MAX: usize = 200;
/// A hardware fingerprint of the wire.
const FINGERPRINT_CHARS: usize = 16;

/// What traps and researchers ask around enrolment.
pub(crate) fn router() -> Router<State> {
    let researchers = Router::new()
        .route("/api/v1/enrolment", get(desk::overview))
        .route("/api/v1/enrolment/tokens", post(desk::make_token))
        .route(
            "/api/v1/enrolment/tokens/{id}/revoke",
            post(desk::revoke_token),
        )
        .route("/api/v1/enrolment/pending/{code}", post(desk::decide))
        .route("/api/v1/enrolment/parked/{trap}", post(desk::resolve))
        .layer(middleware::from_fn(origin::check));
    Router::new()
        .route("/api/v1/enrol", post(enrol))
        .merge(researchers)
}

/// Answers a trap; who guesses tokens is slowed down like who guesses passwords.
async fn enrol(
    extract::State(state): extract::State<State>,
    Peer(peer): Peer,
    body: Body,
) -> Result<Response, Failure> {
    let bytes = body::read_whole(body, REQUEST_BYTES_MAX).await?;
    let request = proved(&bytes)?;
    let subjects = [Subject::Enrolling(peer.clone())];
    let words = "too many failed enrolments from here: wait, then try again";
    limiter::admit(&state, &subjects, words)?;
    let nonce = request.nonce.clone();
    let (now_ms, asked) = (state.now_ms(), request.clone());
    let from = peer.clone();
    let answer = state
        .work(move |shared| shared.writer().enrol(&asked, &from, now_ms))
        .await;
    let trap = request.public_key.trap();
    let answer = match answer {
        Ok(answer) => {
            limiter::forgive(&state, &subjects);
            answer
        }
        Err(failure) => {
            log::warn!("trap {trap} from {peer} is not enrolled: {failure}");
            return Err(failure);
        }
    };
    if let EnrolAnswer::Parked { .. } = answer {
        log::warn!(trap = trap.as_str(); "trap {trap} asks with a cloned SD card");
    }
    let reply = EnrolReply {
        nonce,
        server_time_ms: now_ms,
        answer,
    };
    Ok(json(StatusCode::OK, &reply))
}

/// The request, if it is one and the trap itself signed it.
fn proved(bytes: &[u8]) -> Result<EnrolRequest, Failure> {
    let signed: SignedEnrolment = serde_json::from_slice(bytes)
        .map_err(|error| bad_request(format!("the body is no SignedEnrolment: {error}")))?;
    let request: EnrolRequest = serde_json::from_str(&signed.asking)
        .map_err(|error| bad_request(format!("`asking` is no EnrolRequest: {error}")))?;
    if !request
        .public_key
        .has_signed(&signed.asking, &signed.signature)
    {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "bad_signature",
            "the signature is not by the key pair that the request names",
        ));
    }
    let long = |text: &str| text.chars().count() > TEXT_CHARS_MAX;
    if long(&request.agent_version) || long(&request.nonce) {
        return Err(bad_request("a text of the request is too long"));
    }
    let is_odd = |text: &Option<String>| {
        let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        text.as_deref()
            .is_some_and(|text| text.len() != FINGERPRINT_CHARS || !hex(text))
    };
    let Hardware { card, board } = &request.hardware;
    if is_odd(card) || is_odd(board) || is_odd(&request.copied_from) {
        return Err(bad_request(format!(
            "a hardware fingerprint has {FINGERPRINT_CHARS} hexadecimal digits"
        )));
    }
    if let Some(place) = request.place
        && !(place.latitude_deg.abs() <= 90.0 && place.longitude_deg.abs() <= 180.0)
    {
        return Err(bad_request("the place is not on Earth"));
    }
    Ok(request)
}
