//! The uplink over HTTP, and the only file that names the HTTP library.
//! Nothing of an answer is believed that is too long, of the wrong type or in
//! the wrong place; redirects are refused, because they would carry the key away.

use super::uplink::{NewUpload, Shelf, Uplink, UplinkError, Uploaded};
use crate::config::SyncConfig;
use crate::stage::in_full;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{
    AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RANGE,
    RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::time::Duration;
use trapline_wire::v1::{
    EnrolReply, Hardware, PictureStatus, Problem, Receipt, SignedEnrolment, SyncBatch, SyncReply,
};
use trapline_wire::{Sha256, TrapKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A link that is quiet this long between two requests is opened anew.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The most of somebody's words that goes into a message.
const WORDS_CHARS_MAX: usize = 400;
const UPLOADS: &str = "/api/v1/uploads";
const TUS_VERSION: (&str, &str) = ("tus-resumable", "1.0.0");
const OFFSET: &str = "upload-offset";
const RECEIPT: &str = "trapline-receipt";
const PIECE_TYPE: &str = "application/offset+octet-stream";
const CHECKSUM_MISMATCH: u16 = 460;

/// A Trapline server at an address.
#[derive(Debug)]
pub struct HttpUplink {
    client: Client,
    url: String,
    key: HeaderValue,
}

/// What the trap says of itself beside its key, by which the server tells a copy of its card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// What it runs on.
    pub hardware: Hardware,
    /// The boot that it runs in; empty where nobody knows.
    pub boot_id: String,
}

impl Says {
    fn headers(&self) -> HeaderMap {
        let Hardware { card, board } = &self.hardware;
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("trapline-card", card.as_deref().unwrap_or_default()),
            ("trapline-board", board.as_deref().unwrap_or_default()),
            ("trapline-boot", self.boot_id.as_str()),
        ] {
            if !value.is_empty()
                && let Ok(value) = HeaderValue::try_from(value)
            {
                headers.insert(name, value);
            }
        }
        headers
    }
}

fn bearer(key: &TrapKey) -> HeaderValue {
    let value = HeaderValue::try_from(format!("Bearer {}", key.reveal()));
    let mut value = value.expect("a key has only letters, digits and `_`");
    value.set_sensitive(true);
    value
}

impl HttpUplink {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, in words.
    pub fn new(url: &str, key: &TrapKey, says: &Says, sync: &SyncConfig) -> Result<Self, String> {
        // A second uplink of the process finds the provider installed, which is as good.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("trapline-agent/", env!("CARGO_PKG_VERSION")))
            .default_headers(says.headers())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(sync.request_timeout)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| in_full(&error))?;
        Ok(Self {
            client,
            url: url.to_owned(),
            key: bearer(key),
        })
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, UplinkError> {
        let request = request.header(AUTHORIZATION, self.key.clone());
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }
}

#[async_trait]
impl Uplink for HttpUplink {
    async fn enrol(&mut self, asking: &SignedEnrolment) -> Result<EnrolReply, UplinkError> {
        let body = serde_json::to_vec(asking)
            .map_err(|error| UplinkError::Nonsense(format!("the request has no JSON: {error}")))?;
        // The key is not shown: the server does not know it yet.
        let request = self.client.post(self.address("/api/v1/enrol"));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        if response.status().is_success() {
            return json(response).await;
        }
        Err(match refusal(response).await {
            UplinkError::BadKey(why)
            | UplinkError::OutOfStep(why)
            | UplinkError::Gone(why)
            | UplinkError::Rejected { message: why, .. } => UplinkError::NotEnrolled(why),
            error @ (UplinkError::Unreachable(_)
            | UplinkError::Unwell { .. }
            | UplinkError::NotEnrolled(_)
            | UplinkError::Parked(_)
            | UplinkError::Nonsense(_)
            | UplinkError::TooLarge(_)
            | UplinkError::Mismatch(_)) => error,
        })
    }

    fn use_key(&mut self, key: &TrapKey) {
        self.key = bearer(key);
    }

    async fn post(&mut self, batch: &SyncBatch) -> Result<SyncReply, UplinkError> {
        let body = serde_json::to_vec(batch)
            .map_err(|error| UplinkError::Nonsense(format!("the batch has no JSON: {error}")))?;
        let request = self.client.post(self.address("/api/v1/sync"));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        json(self.send(request).await?).await
    }

    async fn picture_status(&mut self, sha256: &Sha256) -> Result<PictureStatus, UplinkError> {
        let path = format!("{UPLOADS}?sha256={sha256}");
        json(self.send(self.client.get(self.address(&path))).await?).await
    }

    async fn create(
        &mut self,
        picture: &NewUpload,
        first: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        let encoded = |text: &str| BASE64.encode(text);
        let metadata = format!(
            "sha256 {},filename {}",
            encoded(&picture.sha256.to_string()),
            encoded(&picture.file_name)
        );
        let request = self
            .client
            .post(self.address(UPLOADS))
            .header(TUS_VERSION.0, TUS_VERSION.1)
            .header("upload-length", picture.size_bytes)
            .header("upload-metadata", metadata)
            .header(CONTENT_TYPE, PIECE_TYPE)
            .body(first);
        let response = self.send(request).await?;
        let location = header(&response, LOCATION.as_str())
            .and_then(|text| upload_path(&text))
            .ok_or_else(|| nonsense(&response, "it names no upload"))?;
        uploaded(&response, location)
    }

    async fn append(
        &mut self,
        location: &str,
        offset_bytes: u64,
        bytes: Vec<u8>,
    ) -> Result<Uploaded, UplinkError> {
        let path = upload_path(location)
            .ok_or_else(|| UplinkError::Nonsense(format!("an upload at {location:?}")))?;
        let request = self
            .client
            .patch(self.address(&path))
            .header(TUS_VERSION.0, TUS_VERSION.1)
            .header(OFFSET, offset_bytes)
            .header(CONTENT_TYPE, PIECE_TYPE)
            .body(bytes);
        let response = self.send(request).await?;
        uploaded(&response, path)
    }

    async fn fetch(
        &mut self,
        shelf: Shelf,
        sha256: &Sha256,
        offset_bytes: u64,
        len_bytes: u64,
    ) -> Result<Vec<u8>, UplinkError> {
        let last = offset_bytes.saturating_add(len_bytes).saturating_sub(1);
        let request = self
            .client
            .get(self.address(&format!("{}/{sha256}", shelf.path())))
            .header(RANGE, format!("bytes={offset_bytes}-{last}"));
        let response = self.send(request).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(nonsense(&response, "it gives the whole file for a piece"));
        }
        let place = header(&response, CONTENT_RANGE.as_str()).unwrap_or_default();
        if !place.starts_with(&format!("bytes {offset_bytes}-")) {
            let why = format!(
                "it gives {:?} for bytes {offset_bytes}-{last}",
                words(&place)
            );
            return Err(nonsense(&response, &why));
        }
        let max_bytes = usize::try_from(len_bytes).unwrap_or(usize::MAX);
        body(response, max_bytes).await
    }
}

fn uploaded(response: &Response, location: String) -> Result<Uploaded, UplinkError> {
    let offset_bytes = header(response, OFFSET)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| nonsense(response, "it has no `Upload-Offset`"))?;
    let receipt = match header(response, RECEIPT) {
        None => None,
        Some(text) => Some(
            serde_json::from_str::<Receipt>(&text)
                .map_err(|_| nonsense(response, "its receipt cannot be read"))?,
        ),
    };
    Ok(Uploaded {
        location,
        offset_bytes,
        receipt,
    })
}

/// The path of an upload under the server's own address, wherever the text points:
/// the key must never follow a location to another host.
fn upload_path(location: &str) -> Option<String> {
    let (_, id) = location.rsplit_once("/api/v1/uploads/")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    ((1..=100).contains(&id.len()) && id.chars().all(is_plain)).then(|| format!("{UPLOADS}/{id}"))
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, UplinkError> {
    let place = place(&response);
    let body = body(response, ANSWER_BYTES_MAX).await?;
    serde_json::from_slice(&body).map_err(|_| {
        let begin = words(&String::from_utf8_lossy(&body));
        UplinkError::Nonsense(format!("{place} answered {begin:?}"))
    })
}

async fn refusal(response: Response) -> UplinkError {
    let status = response.status();
    let place = place(&response);
    let retry_after = header(&response, RETRY_AFTER.as_str())
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    if status.is_redirection() {
        let target = header(&response, LOCATION.as_str()).unwrap_or_default();
        let target = words(&target);
        return UplinkError::Nonsense(format!("{place} sends elsewhere ({status}, {target:?})"));
    }
    let body = match body(response, ANSWER_BYTES_MAX).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    let problem = serde_json::from_slice::<Problem>(&body).ok();
    let message = match &problem {
        Some(problem) => words(&problem.message),
        None => format!(
            "{place} answered {:?}",
            words(&String::from_utf8_lossy(&body))
        ),
    };
    match status {
        StatusCode::FORBIDDEN if problem.as_ref().is_some_and(|p| p.error == "parked") => {
            UplinkError::Parked(message)
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UplinkError::BadKey(message),
        // Without the server's own words this is another server, not a lost upload.
        StatusCode::NOT_FOUND if problem.is_none() => UplinkError::Nonsense(message),
        StatusCode::NOT_FOUND | StatusCode::GONE => UplinkError::Gone(message),
        StatusCode::CONFLICT => UplinkError::OutOfStep(message),
        StatusCode::PAYLOAD_TOO_LARGE => UplinkError::TooLarge(message),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => UplinkError::Unwell {
            status: status.as_u16(),
            message,
            retry_after,
        },
        _ if status.as_u16() == CHECKSUM_MISMATCH => UplinkError::Mismatch(message),
        _ if status.is_server_error() => UplinkError::Unwell {
            status: status.as_u16(),
            message,
            retry_after,
        },
        _ => UplinkError::Rejected {
            status: status.as_u16(),
            message,
        },
    }
}

async fn body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, UplinkError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|e| unreachable(&e))? {
        if body.len() + piece.len() > max_bytes {
            let why = format!("its answer is longer than {max_bytes} bytes");
            return Err(nonsense(&response, &why));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn place(response: &Response) -> String {
    let url = response.url();
    format!("{}{}", url.host_str().unwrap_or_default(), url.path())
}

fn nonsense(response: &Response, why: &str) -> UplinkError {
    UplinkError::Nonsense(format!("{}: {why}", place(response)))
}

/// The innermost cause says what happened; the layers above only repeat that something did.
fn unreachable(error: &reqwest::Error) -> UplinkError {
    let host = error
        .url()
        .and_then(reqwest::Url::host_str)
        .unwrap_or_default();
    if error.is_timeout() {
        return UplinkError::Unreachable(format!("{host} did not answer in time"));
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    UplinkError::Unreachable(format!("{host}: {innermost}"))
}

/// The beginning of somebody's words, on one line.
fn words(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(WORDS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_stays_on_its_server() {
        let here = Some("/api/v1/uploads/a-1_b".to_owned());
        assert_eq!(upload_path("/api/v1/uploads/a-1_b"), here);
        assert_eq!(
            upload_path("http://evil.example/api/v1/uploads/a-1_b"),
            here
        );
        for wrong in [
            "/api/v1/uploads/",
            "/api/v1/uploads/../sync",
            "/api/v1/uploads/a?b",
            "/elsewhere/a",
        ] {
            assert_eq!(upload_path(wrong), None, "{wrong}");
        }
    }
}
