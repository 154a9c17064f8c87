//! Receives from Trapline traps, proves what it stored, shows it to researchers.
//!
//! [`router`] is the whole server as a `tower` service: the binary listens with
//! it, tests and simulations call it in process. It starts no task of its own;
//! what must happen later (uploads that expire) happens at the next request
//! that could notice.
//!
//! The way of a picture: `uploads` takes its bytes, `uploads::finish` proves and
//! names the file through `blobs`, `db` commits the row, and only then does the
//! trap get its receipt. Records come through `ingest`. Researchers read
//! through `api`, people and traps are told apart in `auth`.

mod api;
mod auth;
mod blobs;
mod body;
pub mod cli;
mod config;
mod db;
pub mod disk;
mod enrol;
mod enrolment;
mod health;
mod ingest;
pub mod logging;
mod models;
mod offered_files;
mod problem;
mod serve;
mod state;
mod thumbnail;
mod updates;
mod uploads;
mod web;

pub use state::{CannotOpen, Clock, Random, Settings, State, Work};

use axum::Router;
use axum::routing::{get, post};

/// Every address that the server answers.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/healthz", get(health::check))
        .route("/api/v1/sync", post(ingest::sync))
        .route("/api/v1/sync/{sha256}", get(ingest::again))
        .merge(uploads::router())
        .merge(offered_files::router())
        .merge(enrolment::router())
        .merge(api::router())
        .fallback(web::page)
        .layer(axum::middleware::from_fn(web::guard))
        .with_state(state)
}
