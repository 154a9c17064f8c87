//! Every path against the reference.

mod calm;
mod exact;
mod golden;
mod refused;
