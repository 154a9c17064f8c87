//! The ledger's promises, tested from outside. `cfg(test)` says to clippy what these modules are.

#[cfg(test)]
mod copy;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod day;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod model;
#[cfg(test)]
mod models;
#[cfg(test)]
mod names;
mod os_disk;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod quality;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod trap;
