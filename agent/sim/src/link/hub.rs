//! The server in the same process: the real router, which can be stopped and
//! started again on its data folder like a process.

use super::request::Answer;
use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tower::ServiceExt as _;
use trapline_server::{Settings, State, router};
use trapline_wire::TrapKey;

/// Answers longer than this come from no Trapline server.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The researcher who looks at the end.
const RESEARCHER: (&str, &str) = ("season", "looks at the end");

/// Nobody answers, for this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoServer(pub &'static str);

/// The server, up or down.
pub struct Hub {
    settings: Settings,
    running: Mutex<Option<(State, Router)>>,
    /// Counts starts and stops; a change ends every request.
    epoch: watch::Sender<u32>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// A server that is not started yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            running: Mutex::default(),
            epoch: watch::Sender::new(0),
        }
    }

    /// Starts it, or does nothing if it runs.
    ///
    /// # Errors
    /// When its data folder cannot be opened.
    pub fn start(&self) -> anyhow::Result<()> {
        let mut running = self.lock();
        if running.is_none() {
            let state = State::open(self.settings.clone()).context("the server does not start")?;
            *running = Some((state.clone(), router(state)));
        }
        Ok(())
    }

    /// Kills it: every request in it is cut off where it is.
    pub fn stop(&self) {
        drop(self.lock().take());
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Enrols a trap.
    ///
    /// # Errors
    /// When the server does not run, or has a trap of that name.
    pub fn enrol(&self, name: &str, key: &TrapKey) -> anyhow::Result<()> {
        let running = self.lock();
        let (state, _) = running.as_ref().context("the server does not run")?;
        let is_new = state.enrol_trap(name, key)?;
        anyhow::ensure!(is_new, "there is a trap `{name}` already");
        Ok(())
    }

    /// Adds the model beside a manifest and offers it to every trap; gives its
    /// id, or `None` while the server does not run.
    pub fn offer_model(&self, manifest: &Path) -> Option<anyhow::Result<String>> {
        let running = self.lock();
        let (state, _) = running.as_ref()?;
        let offered = state.add_model(manifest).and_then(|id| {
            state.offer_model(&id, &[])?;
            Ok(id)
        });
        Some(offered.map_err(anyhow::Error::from))
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// [`NoServer`] when it is down, or stops before it has answered.
    pub async fn call(&self, request: Request<Body>) -> Result<Answer, NoServer> {
        let mut epoch = self.epoch.subscribe();
        let router = match self.lock().as_ref() {
            Some((_, router)) => router.clone(),
            None => return Err(NoServer("connection refused")),
        };
        let work = async {
            let response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (head, body) = response.into_parts();
            let body = to_bytes(body, ANSWER_BYTES_MAX)
                .await
                .map_err(|_| NoServer("the answer broke off"))?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        tokio::select! {
            biased;
            _ = epoch.changed() => Err(NoServer("the server was killed")),
            answer = work => answer,
        }
    }

    /// Logs a researcher in, who may then ask with this cookie.
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub async fn log_in(&self) -> anyhow::Result<String> {
        let (name, password) = RESEARCHER;
        {
            let running = self.lock();
            let (state, _) = running.as_ref().context("the server does not run")?;
            state.enrol_researcher(name, password)?;
        }
        let body = serde_json::json!({ "name": name, "password": password }).to_string();
        let request = Request::post("/api/v1/login")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))?;
        let answer = self
            .call(request)
            .await
            .map_err(|NoServer(why)| anyhow::anyhow!(why))?;
        let cookie = answer
            .header(header::SET_COOKIE.as_str())
            .with_context(|| format!("the login gave {} and no cookie", answer.status))?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Option<(State, Router)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
