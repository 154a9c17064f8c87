//! Everything that the agent promises, on fakes that behave and in virtual time.
//! `cfg(test)` says to clippy what these modules are.

#[cfg(test)]
mod answers;
mod care;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod effort;
#[cfg(test)]
mod enrol;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod front;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod http;
#[cfg(test)]
mod inspector;
#[cfg(test)]
mod large;
#[cfg(test)]
mod lent;
#[cfg(test)]
mod models;
#[cfg(test)]
mod page;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod power;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod server;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod update;
#[cfg(test)]
mod worth;
