//! Every path against the reference.

mod exact;
mod golden;
