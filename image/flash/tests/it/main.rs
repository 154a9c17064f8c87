//! Cards written to files that act as disks, and what must not be written.
//! `cfg(test)` says to clippy what these modules are.

#[cfg(test)]
mod cards;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod tables;
