//! How rows become a CSV file, part after part.

use crate::api::question::Filters;
use crate::db::{Cursor, Db};
use crate::problem::Failure;
use crate::state::State;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use std::sync::Arc;

/// Rows read at a time, so that no download keeps a trap waiting.
pub(super) const ROWS: u32 = 500;

pub(super) type Lines = (Vec<Vec<String>>, Option<Cursor>);
type ReadLines = fn(&Db, &Filters, Option<Cursor>) -> Result<Lines, Failure>;

/// Where a download stands.
enum Step {
    Heading,
    Rows(Option<Cursor>),
    End,
}

/// Sends the heading and then part after part, each read when the one before is gone.
pub(super) async fn table(
    state: State,
    asked: Filters,
    file_name: &'static str,
    heading: &'static [&'static str],
    read: ReadLines,
) -> Result<Response, Failure> {
    let asked = Arc::new(asked);
    // What is wrong with the question is said before the download starts.
    let checked = Arc::clone(&asked);
    let after = state
        .work(move |shared| {
            checked.trap(&shared.reader())?;
            checked.after()
        })
        .await?;
    let parts = stream::try_unfold(Step::Heading, move |step| {
        let (state, asked) = (state.clone(), Arc::clone(&asked));
        async move {
            match step {
                Step::Heading => {
                    let cells = heading.iter().map(|&cell| cell.to_owned()).collect();
                    Ok(Some((text(&[cells])?, Step::Rows(after))))
                }
                Step::Rows(after) => {
                    let part = state
                        .work(move |shared| read(&shared.reader(), &asked, after))
                        .await
                        .map_err(broken_off)?;
                    let next = part.1.map_or(Step::End, |cursor| Step::Rows(Some(cursor)));
                    Ok(Some((text(&part.0)?, next)))
                }
                Step::End => Ok::<_, std::io::Error>(None),
            }
        }
    });
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{file_name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// A download that cannot go on breaks off, so that it is not taken for whole.
fn broken_off(failure: Failure) -> std::io::Error {
    log::error!("a download broke off: {failure}");
    std::io::Error::other("the server could not read on")
}

fn text(lines: &[Vec<String>]) -> Result<Bytes, std::io::Error> {
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(line)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(::csv::IntoInnerError::into_error)?;
    Ok(Bytes::from(bytes))
}

/// The cursor of a full part's last row; a part that is not full is the last.
pub(super) fn last<R>(rows: &[R], cursor: impl Fn(&R) -> Cursor) -> Option<Cursor> {
    rows.last()
        .filter(|_| rows.len() >= ROWS as usize)
        .map(cursor)
}

pub(super) fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub(super) fn utc(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map(|moment| moment.to_string())
        .unwrap_or_default()
}
