//! The wire held still: the JSON of every type as a snapshot, names that
//! survive being written and read, and keys that notice a typing error.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod goldens;
mod names;
