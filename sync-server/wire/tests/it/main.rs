//! The wire held still: the JSON of every type as a snapshot, names that
//! survive being written and read, keys that notice a typing error, and cells
//! that no spreadsheet runs.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod cells;
mod goldens;
mod names;
