//! Stands empty for the moment.
fn main() {}
