//! The requests of tus, and the one question beside them.

use super::append::Append;
use super::finish::{progress, receipt};
use super::headers::{self, TUS_RESUMABLE, TUS_VERSION};
use super::turns::Turn;
use super::{checksum, create, end, find, still_there};
use crate::auth::Trap;
use crate::body;
use crate::db::{UploadRow, UploadState};
use crate::problem::{Failure, bad_request, json, refuse};
use crate::state::State;
use axum::Router;
use axum::body::Body;
use axum::extract::{self, Path, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, head};
use trapline_wire::Sha256;
use trapline_wire::limits::PICTURE_BYTES_MAX;
use trapline_wire::v1::{PictureStatus, Receipt, UnfinishedUpload};

/// `/api/v1/uploads` and what is below it.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/api/v1/uploads", get(status).post(post).options(options))
        .route(
            "/api/v1/uploads/{id}",
            head(ask)
                .patch(patch)
                .delete(delete)
                .post(overridden)
                .options(options),
        )
        .layer(middleware::from_fn(speak_tus))
}

/// Every answer says the version; a request of tus in another version is `412`.
async fn speak_tus(request: Request, next: Next) -> Response {
    let ours = [Method::OPTIONS, Method::GET].contains(request.method());
    let version = request.headers().get(TUS_RESUMABLE);
    let fits = ours || version.is_some_and(|version| version.as_bytes() == TUS_VERSION.as_bytes());
    let mut response = if fits {
        next.run(request).await
    } else {
        let mut response = refuse(
            StatusCode::PRECONDITION_FAILED,
            "tus_version",
            "`Tus-Resumable: 1.0.0` is needed: this server speaks tus 1.0.0 alone",
        )
        .into_response();
        insert(&mut response, "tus-version", TUS_VERSION);
        response
    };
    insert(&mut response, "tus-resumable", TUS_VERSION);
    insert(&mut response, "cache-control", "no-store");
    response
}

fn insert(response: &mut Response, name: &'static str, value: &'static str) {
    response.headers_mut().insert(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    );
}

async fn options(_trap: Trap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    insert(&mut response, "tus-version", TUS_VERSION);
    insert(
        &mut response,
        "tus-extension",
        "creation,creation-with-upload,checksum,expiration,termination",
    );
    insert(
        &mut response,
        "tus-checksum-algorithm",
        checksum::ALGORITHMS,
    );
    response.headers_mut().insert(
        HeaderName::from_static("tus-max-size"),
        HeaderValue::from(PICTURE_BYTES_MAX),
    );
    response
}

/// `GET ?sha256=`: the receipt of a picture, or its unfinished upload.
async fn status(
    extract::State(state): extract::State<State>,
    trap: Trap,
    uri: axum::http::Uri,
) -> Result<Response, Failure> {
    let sha256: Sha256 = uri
        .query()
        .and_then(|query| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix("sha256="))
        })
        .ok_or_else(|| bad_request("ask with `?sha256=<64 hex digits>`"))?
        .parse()
        .map_err(|error| bad_request(format!("{error}")))?;
    let (stored, open) = state
        .work(move |shared| {
            let db = shared.reader();
            let mut open = db.open_uploads(trap.number)?;
            open.retain(|upload| upload.sha256 == Some(sha256));
            Ok((db.receipt(trap.number, &sha256)?, open))
        })
        .await?;
    let mut status = PictureStatus {
        receipt: stored,
        upload: None,
    };
    for upload in open {
        if status.receipt.is_some() {
            break;
        }
        // An upload that ended meanwhile says nothing.
        let Ok(standing) = stand(&state, &trap, &upload.id).await else {
            continue;
        };
        let furthest = status.upload.as_ref().map_or(0, |best| best.offset_bytes);
        if standing.receipt.is_none() && (status.upload.is_none() || standing.offset > furthest) {
            status.upload = Some(UnfinishedUpload {
                location: location(&upload.id),
                offset_bytes: standing.offset,
            });
        }
        status.receipt = standing.receipt;
    }
    if status.receipt.is_some() {
        status.upload = None;
    }
    Ok(json(StatusCode::OK, &status))
}

async fn post(
    extract::State(state): extract::State<State>,
    trap: Trap,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let creation = headers::creation(&headers)?;
    let checksum = checksum::of(&headers)?;
    let upload = state
        .work(move |shared| create(shared, trap.number, creation.length_bytes, creation.sha256))
        .await?;
    let mut response = StatusCode::CREATED.into_response();
    let with_body = headers::has_octets(&headers);
    if with_body || upload.length_bytes == 0 {
        let turn = take(&state, &upload.id).await?;
        let append = Append {
            state: state.clone(),
            turn: turn.clone(),
            upload: upload.clone(),
            offset: 0,
            checksum,
        };
        let body = if with_body { body } else { Body::empty() };
        match append.run(body).await {
            Ok(_) => {
                let standing = stand_with(&state, turn, upload.clone()).await?;
                standing.describe(&mut response);
            }
            Err(failure) => {
                // The upload stands, whatever became of its first bytes.
                response = failure.into_response();
            }
        }
    }
    headers::expires(response.headers_mut(), &upload);
    if let Ok(value) = HeaderValue::from_str(&location(&upload.id)) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

async fn ask(
    extract::State(state): extract::State<State>,
    trap: Trap,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let standing = stand(&state, &trap, &id).await?;
    let mut response = StatusCode::OK.into_response();
    standing.describe(&mut response);
    Ok(response)
}

async fn patch(
    extract::State(state): extract::State<State>,
    trap: Trap,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    if !headers::has_octets(&headers) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "bad_type",
            format!("`Content-Type` must be `{}`", headers::OFFSET_OCTETS),
        ));
    }
    let offset = headers::number(&headers, "upload-offset")?;
    let checksum = checksum::of(&headers)?;
    let (turn, upload) = hold(&state, &trap, &id).await?;
    let append = Append {
        state: state.clone(),
        turn: turn.clone(),
        upload: upload.clone(),
        offset,
        checksum,
    };
    append.run(body).await?;
    let standing = stand_with(&state, turn, upload).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    standing.describe(&mut response);
    Ok(response)
}

async fn delete(
    extract::State(state): extract::State<State>,
    trap: Trap,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let number = trap.number;
    let wanted = id.clone();
    state
        .work(move |shared| find(shared, number, &wanted))
        .await?;
    let turn = take(&state, &id).await?;
    state
        .work(move |shared| {
            let _held = turn;
            let upload = find(shared, number, &id)?;
            if upload.state == UploadState::Gone {
                return Ok(());
            }
            end(shared, &mut shared.writer(), &upload)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// For clients that can send nothing but GET and POST.
async fn overridden(
    state: extract::State<State>,
    trap: Trap,
    path: Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    match headers::text(&headers, "x-http-method-override")? {
        Some("PATCH") => patch(state, trap, path, headers, body).await,
        Some("DELETE") => delete(state, trap, path).await,
        Some("HEAD") => ask(state, trap, path).await,
        _ => {
            body::drain(body, 64 * 1024).await;
            Err(refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "bad_method",
                "POST to an upload needs `X-HTTP-Method-Override: PATCH`, `DELETE` or `HEAD`",
            ))
        }
    }
}

/// How far an upload is.
struct Standing {
    upload: UploadRow,
    offset: u64,
    receipt: Option<Receipt>,
}

impl Standing {
    fn describe(&self, response: &mut Response) {
        headers::describe(
            response.headers_mut(),
            &self.upload,
            self.offset,
            self.receipt.as_ref(),
        );
    }
}

async fn stand(state: &State, trap: &Trap, id: &str) -> Result<Standing, Failure> {
    let (turn, upload) = hold(state, trap, id).await?;
    stand_with(state, turn, upload).await
}

/// How far the held upload is; with its last byte it becomes a picture here.
async fn stand_with(state: &State, turn: Turn, upload: UploadRow) -> Result<Standing, Failure> {
    state
        .work(move |shared| {
            let _held = turn;
            let offset = progress(shared, &upload)?;
            let receipt = receipt(shared, &upload, offset)?;
            Ok(Standing {
                upload,
                offset,
                receipt,
            })
        })
        .await
}

/// Takes this trap's upload for one request, and notes that somebody cares for it.
async fn hold(state: &State, trap: &Trap, id: &str) -> Result<(Turn, UploadRow), Failure> {
    let number = trap.number;
    let wanted = id.to_owned();
    state
        .work(move |shared| find(shared, number, &wanted))
        .await?;
    let turn = take(state, id).await?;
    let wanted = id.to_owned();
    let upload = state
        .work(move |shared| {
            // Read again: it may have become a picture while this request waited.
            let mut upload = find(shared, number, &wanted)?;
            still_there(shared, &upload)?;
            let now_ms = shared.now_ms();
            if now_ms - upload.touched_ms > TOUCH_EVERY_MS {
                shared.writer().touch_upload(&wanted, now_ms)?;
                upload.touched_ms = now_ms;
            }
            Ok(upload)
        })
        .await?;
    Ok((turn, upload))
}

/// An upload asked for again within a minute is not written to for that alone.
const TOUCH_EVERY_MS: i64 = 60_000;

async fn take(state: &State, id: &str) -> Result<Turn, Failure> {
    state.shared().turns.take(id).await.ok_or_else(|| {
        refuse(
            StatusCode::LOCKED,
            "locked",
            "an older request for this upload does not end: try again later",
        )
    })
}

fn location(id: &str) -> String {
    format!("/api/v1/uploads/{id}")
}
