//! The server through its router, in process: what traps, researchers and
//! strangers get, and what is left after a cut at a bad moment.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and writes files without caring for power cuts"
)]

mod command_line;
mod cuts;
mod doors;
mod enrolment;
mod flaws;
mod house;
mod lists;
mod models;
mod power;
mod records;
mod tracks;
mod tus;
mod updates;
