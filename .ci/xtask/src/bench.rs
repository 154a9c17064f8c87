//! `cargo xtask bench …`: what the trap's own work costs and finds, beside a yardstick, in one table each.

pub(crate) mod detect;
pub(crate) mod link;
pub(crate) mod put;
pub(crate) mod sequence;
mod talk;
