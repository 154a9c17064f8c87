//! The wire held still: the JSON of every type as a snapshot, names that
//! survive being written and read, and keys that notice a typing error.

mod goldens;
mod names;
