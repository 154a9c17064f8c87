//! Self-test and departure check from the page: started by a button, followed
//! while they run, and there to read for who comes back later.

use super::answer::{Refused, json};
use super::hall::Hall;
use crate::depart::depart;
use crate::screen;
use crate::selftest::selftest;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;

/// Which check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Selftest,
    Depart,
}

/// The check that was asked for last.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    last: Option<Last>,
    running: JoinSet<()>,
}

#[derive(Debug, Clone)]
struct Last {
    kind: Kind,
    began_ms: i64,
    /// `None` while it runs.
    report: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Shown {
    kind: Option<Kind>,
    began_ms: Option<i64>,
    running: bool,
    /// What a running check looks at, and how far it is.
    part: Option<String>,
    done: u32,
    of: u32,
    report: Option<serde_json::Value>,
}

/// `POST /api/checks/{kind}`: starts it.
pub(super) async fn start(
    State(hall): State<Arc<Hall>>,
    Path(kind): Path<String>,
) -> Result<Response, Refused> {
    let kind = match kind.as_str() {
        "selftest" => Kind::Selftest,
        "depart" => Kind::Depart,
        _ => return Err(Refused::unknown()),
    };
    let began_ms = hall.desk.clock.stamp().unix_ms;
    {
        let mut inside = hall.checks.lock();
        if inside.last.as_ref().is_some_and(Last::is_running) {
            let message = "a check is running already";
            return Err(Refused::new(StatusCode::CONFLICT, message));
        }
        inside.last = Some(Last {
            kind,
            began_ms,
            report: None,
        });
        // The hall owns the task, so the task must not own the hall.
        let (desk, back) = (hall.desk.clone(), Arc::downgrade(&hall));
        inside.running.spawn(async move {
            let report = match kind {
                Kind::Selftest => serde_json::to_value(selftest(&desk).await),
                Kind::Depart => serde_json::to_value(depart(&desk).await),
            };
            if let Some(hall) = back.upgrade() {
                hall.checks.end(report.unwrap_or_default());
            }
        });
    }
    now(State(hall)).await
}

/// `GET /api/checks`: how far it is, or what it came to.
pub(super) async fn now(State(hall): State<Arc<Hall>>) -> Result<Response, Refused> {
    let last = {
        let mut inside = hall.checks.lock();
        while let Some(ended) = inside.running.try_join_next() {
            // One that panicked has left no report.
            if ended.is_err() {
                inside.last = None;
            }
        }
        inside.last.clone()
    };
    let running = last.as_ref().is_some_and(Last::is_running);
    let (part, done, of) = match hall.desk.board.shown().check {
        Some(screen::Check::Running { done, of, part }) if running => (Some(part), done, of),
        _ => (None, 0, 0),
    };
    Ok(json(&Shown {
        kind: last.as_ref().map(|last| last.kind),
        began_ms: last.as_ref().map(|last| last.began_ms),
        running,
        part,
        done,
        of,
        report: last.and_then(|last| last.report),
    }))
}

impl Last {
    fn is_running(&self) -> bool {
        self.report.is_none()
    }
}

impl Checks {
    fn end(&self, report: serde_json::Value) {
        if let Some(last) = &mut self.lock().last {
            last.report = Some(report);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
