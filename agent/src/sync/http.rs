//! The uplink over HTTP, and the only file that names the HTTP library.
//! Nothing of an answer is believed that is too long, of the wrong type or in
//! the wrong place; redirects are refused, because they would carry the key away.

use super::uplink::{NewUpload, Shelf, Uplink, UplinkError, Uploaded};
use crate::config::SyncConfig;
use crate::stage::in_full;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, HeaderValue,
    LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::io::Write as _;
use std::time::Duration;
use trapline_wire::v1::{
    EnrolReply, Hardware, PictureStatus, Problem, Receipt, SignedEnrolment, SyncBatch, SyncReply,
};
use trapline_wire::{Sha256, TrapKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A link that is quiet this long between two requests is opened anew.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Two pictures overlap, and news goes beside them.
const CONNECTIONS_MAX: usize = 3;
/// A batch of fewer bytes goes as it is.
const PACKED_BYTES_MIN: usize = 1024;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The most of somebody's words that goes into a message.
const WORDS_CHARS_MAX: usize = 400;
const SYNC: &str = "/api/v1/sync";
const UPLOADS: &str = "/api/v1/uploads";
/// What a server answers that does not know compressed batches.
const NOT_UNDERSTOOD: [u16; 3] = [400, 415, 422];
const TUS_VERSION: (&str, &str) = ("tus-resumable", "1.0.0");
const OFFSET: &str = "upload-offset";
const RECEIPT: &str = "trapline-receipt";
const PIECE_TYPE: &str = "application/offset+octet-stream";
const CHECKSUM_MISMATCH: u16 = 460;

/// A Trapline server at an address.
#[derive(Debug, Clone)]
pub struct HttpUplink {
    client: Client,
    url: String,
    key: HeaderValue,
    packing: Packing,
}

/// Whether the server takes batches as gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Untried,
    Taken,
    /// An older server finds no batch in it.
    Refused,
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
            .pool_max_idle_per_host(CONNECTIONS_MAX)
            .build()
            .map_err(|error| in_full(&error))?;
        Ok(Self {
            client,
            url: url.to_owned(),
            key: bearer(key),
            packing: Packing::Untried,
        })
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn post_json(
        &self,
        body: Vec<u8>,
        coding: Option<&'static str>,
    ) -> Result<SyncReply, UplinkError> {
        let request = self.client.post(self.address(SYNC));
        let mut request = request.header(CONTENT_TYPE, "application/json").body(body);
        if let Some(coding) = coding {
            request = request.header(CONTENT_ENCODING, coding);
        }
        json(self.send(request).await?).await
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
        if body.len() < PACKED_BYTES_MIN || self.packing == Packing::Refused {
            return self.post_json(body, None).await;
        }
        let (body, packed) = packed(body).await?;
        let done = self.post_json(packed, Some("gzip")).await;
        match &done {
            Ok(_) => self.packing = Packing::Taken,
            Err(UplinkError::Rejected { status, .. })
                if self.packing == Packing::Untried && NOT_UNDERSTOOD.contains(status) =>
            {
                self.packing = Packing::Refused;
                return self.post_json(body, None).await;
            }
            Err(_) => {}
        }
        done
    }

    async fn batch_reply(&mut self, batch: &Sha256) -> Result<Option<SyncReply>, UplinkError> {
        let request = self.client.get(self.address(&format!("{SYNC}/{batch}")));
        let answer = match self.send(request).await {
            Ok(response) => json(response).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(reply) => Ok(Some(reply)),
            // An older server shows a page there, or nothing.
            Err(UplinkError::Gone(_) | UplinkError::Nonsense(_) | UplinkError::Rejected { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn lane(&self) -> Option<Box<dyn Uplink>> {
        Some(Box::new(self.clone()))
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
        .and_then(|text| wait_of(&text, header(&response, DATE.as_str()).as_deref()));
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

/// The wait that a server asks for: seconds, or a moment of its own clock, which need not be ours.
fn wait_of(retry_after: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = retry_after.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text| DateTimeParser::new().parse_timestamp(text).ok();
    let wait_s = moment(retry_after)?.as_second() - moment(date?)?.as_second();
    Some(Duration::from_secs(u64::try_from(wait_s).unwrap_or(0)))
}

/// The bytes themselves and as gzip, made beside the runtime: a small board takes a while over them.
async fn packed(plain: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), UplinkError> {
    let work = move || {
        let mut coder = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = coder.write_all(&plain).and_then(|()| coder.finish());
        packed.map(|packed| (plain, packed))
    };
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| error.to_string());
    done.and_then(|packed| packed.map_err(|error| error.to_string()))
        .map_err(|why| UplinkError::Nonsense(format!("the batch cannot be packed: {why}")))
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
    fn a_wait_is_in_seconds_or_a_moment_of_the_servers_clock() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let of = |text| wait_of(text, date).map(|wait| wait.as_secs());
        assert_eq!(of("120"), Some(120));
        assert_eq!(of("Sun, 06 Nov 1994 08:51:07 GMT"), Some(90));
        assert_eq!(of("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(of("soon"), None);
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:51:07 GMT", None), None);
    }

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
