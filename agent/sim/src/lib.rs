//! Traps, weather and bad luck in virtual time.
//!
//! The simulation runs the real stages of the agent, the real ledger and the
//! real router of the server in one process. Only what a trap touches is
//! simulated: its devices, its card's power cuts, its radio and its world.
//! Nothing here is linked into `trapline-agent`, so a trap in the field
//! cannot invent data.

#![warn(missing_docs)]

pub mod chance;
pub mod devices;
pub mod evidence;
pub mod laws;
pub mod link;
pub mod live;
pub mod plate;
pub mod power;
pub mod season;
pub mod sequence;
pub mod tally;
pub mod trace;
pub mod world;
