//! The ledger's promises, tested from outside.

mod crash;
mod day;
mod laws;
mod model;
mod os_disk;
mod rules;
mod trap;
