//! What stands after the `?`, and what it means when it is not there.

use super::tracks::Span;
use crate::db::{CaptureFilter, Cursor, Db, TrackFilter, Window};
use crate::problem::{Failure, bad_request, not_found};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use trapline_wire::TrapId;
use trapline_wire::limits::PAGE_ITEMS_MAX;
use trapline_wire::read::Page;

const PAGE_ITEMS: u32 = 100;
pub(super) const DAY_MS: i64 = 24 * 3600 * 1000;

/// The query of a request, read into `T`.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|error| bad_request(error.body_text()))
    }
}

/// The filters of every list; a list ignores those that it has no use for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filters {
    trap: Option<String>,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    has_detections: Option<bool>,
    good: Option<bool>,
    order: Option<Order>,
    card: Option<String>,
    arrived: Option<bool>,
    pub(super) every: Option<Every>,
    limit: Option<u32>,
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Newest,
    Oldest,
}

/// The length of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Every {
    Hour,
    Day,
}

impl Every {
    pub(super) fn step_ms(self) -> i64 {
        match self {
            Self::Hour => DAY_MS / 24,
            Self::Day => DAY_MS,
        }
    }
}

/// Intervals of one trap; the first one starts at `from_ms`.
#[derive(Debug, Deserialize)]
pub(super) struct AskedArrivals {
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    every: Option<Every>,
}

impl AskedArrivals {
    pub(super) fn span(&self, now_ms: i64) -> Result<Span, Failure> {
        let step_ms = self.every.unwrap_or(Every::Hour).step_ms();
        let until_ms = self.until_ms.unwrap_or(now_ms);
        let week_ago_ms = until_ms.saturating_sub(7 * DAY_MS);
        let from_ms = self
            .from_ms
            .unwrap_or(week_ago_ms - week_ago_ms.rem_euclid(step_ms));
        Span::over(from_ms, until_ms, step_ms)
    }
}

/// The time window of a time line.
#[derive(Debug, Deserialize)]
pub(super) struct AskedWindow {
    pub(super) from_ms: Option<i64>,
    pub(super) until_ms: Option<i64>,
}

/// Where "today" starts, and which page of traps.
#[derive(Debug, Deserialize)]
pub(super) struct Since {
    pub(super) since_ms: Option<i64>,
    limit: Option<u32>,
    after: Option<String>,
}

impl Filters {
    pub(super) fn window(&self) -> Window {
        Window {
            from_ms: self.from_ms.unwrap_or(i64::MIN),
            until_ms: self.until_ms.unwrap_or(i64::MAX),
        }
    }

    /// The window as it was asked for.
    pub(super) fn edges(&self) -> (Option<i64>, Option<i64>) {
        (self.from_ms, self.until_ms)
    }

    pub(super) fn limit(&self) -> Result<u32, Failure> {
        limit(self.limit)
    }

    pub(super) fn after(&self) -> Result<Option<Cursor>, Failure> {
        self.after
            .as_deref()
            .map(|text| text.parse().map_err(|()| bad_cursor()))
            .transpose()
    }

    /// The number of the trap that is asked for, if one is.
    pub(super) fn trap(&self, db: &Db) -> Result<Option<i64>, Failure> {
        self.trap
            .as_deref()
            .map(|text| trap_number(db, text))
            .transpose()
    }

    pub(super) fn captures(&self, db: &Db) -> Result<CaptureFilter, Failure> {
        Ok(CaptureFilter {
            trap: self.trap(db)?,
            window: self.window(),
            has_detections: self.has_detections,
            good: self.good,
            newest_first: self.order != Some(Order::Oldest),
            after: self.after()?,
        })
    }
}

impl Filters {
    pub(super) fn tracks(&self, db: &Db) -> Result<TrackFilter, Failure> {
        Ok(TrackFilter {
            trap: self.trap(db)?,
            card: self.card.clone(),
            arrived: self.arrived,
        })
    }
}

impl Since {
    pub(super) fn limit(&self) -> Result<u32, Failure> {
        limit(self.limit)
    }

    pub(super) fn after(&self) -> Result<Option<i64>, Failure> {
        self.after
            .as_deref()
            .map(|text| text.parse().map_err(|_| bad_cursor()))
            .transpose()
    }
}

fn limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked {
        None => Ok(PAGE_ITEMS),
        Some(limit) if (1..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(bad_request(format!(
            "`limit` must be between 1 and {PAGE_ITEMS_MAX}"
        ))),
    }
}

fn bad_cursor() -> Failure {
    bad_request("`after` must be the `next` of the page before")
}

/// A trap named in a query: one that is not there is an error, not an empty list.
pub(super) fn trap_number(db: &Db, text: &str) -> Result<i64, Failure> {
    let id: TrapId = text
        .parse()
        .map_err(|error| bad_request(format!("{error}")))?;
    db.trap_number(&id)?.ok_or_else(no_such_trap)
}

pub(super) fn no_such_trap() -> Failure {
    not_found("there is no such trap")
}

/// Cuts rows asked for with one more than `limit` into a page.
pub(super) fn page<R, T>(
    mut rows: Vec<R>,
    limit: u32,
    cursor: impl Fn(&R) -> String,
    item: impl Fn(R) -> T,
) -> Page<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(cursor);
    Page {
        items: rows.into_iter().map(item).collect(),
        next,
    }
}
