//! The day of a Trapline trap.
//!
//! Five stages work side by side, each over the ledger alone: `capture` takes
//! the shot that is due, `inspect` finds the insects, `sync` hands everything
//! to the server, `retain` keeps room on the card, `power` minds battery, clock
//! and sleep. The ledger is the only queue, so a crash is nothing special: the next start goes on at the rows.
//! The simulation drives the same stages through [`agent::Agent::from_parts`].

pub mod agent;
pub mod asks;
pub mod capture;
pub mod config;
pub mod degrade;
pub mod depart;
pub mod desk;
pub mod effort;
pub mod enrol;
pub mod follow;
pub mod front;
pub mod hands;
pub mod health;
pub mod inspect;
pub mod inspector;
pub mod lent;
pub mod models;
pub mod moment;
pub mod page;
pub mod power;
pub mod probes;
pub mod retain;
pub mod schedule;
pub mod screen;
pub mod stage;
pub mod sun;
pub mod sync;
pub mod timetable;
pub mod update;

pub mod apart;
pub mod boot;
pub mod card;
pub mod cli;
pub mod door;
pub mod exif;
pub mod export;
pub mod hardware;
pub mod logging;
pub mod selftest;
pub mod service;
pub mod status;
