//! Just enough HTTP to read the server's tables as a researcher would.

use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A researcher who has logged in.
pub(super) struct Researcher {
    address: String,
    cookie: String,
}

impl Researcher {
    /// Logs in at the server with this URL.
    pub(super) fn log_in(url: &str, name: &str, password: &str) -> Result<Self> {
        let address = url.trim_start_matches("http://").to_owned();
        let body = serde_json::json!({ "name": name, "password": password }).to_string();
        let request = format!(
            "POST /api/v1/login HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (head, _) = talk(&address, &request)?;
        let cookie = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .and_then(|(_, value)| value.split(';').next())
            .context("the login gave no cookie")?;
        Ok(Self {
            cookie: cookie.trim().to_owned(),
            address,
        })
    }

    /// Reads what stands at `path`.
    pub(super) fn get(&self, path: &str) -> Result<String> {
        let request = format!(
            "GET {path} HTTP/1.0\r\nhost: {}\r\ncookie: {}\r\n\r\n",
            self.address, self.cookie
        );
        Ok(talk(&self.address, &request)?.1)
    }
}

/// HTTP/1.0, so that the answer is one piece and ends with the connection.
fn talk(address: &str, request: &str) -> Result<(String, String)> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot reach {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the answer has no end of its head")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{address} answers {status}: {}", body.trim());
    }
    Ok((head.to_owned(), body.to_owned()))
}
