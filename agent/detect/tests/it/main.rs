//! The crate from outside: tiles, pictures, models, and the shipped detector on drawn and on real cards.

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod arrival_evidence;
#[cfg(test)]
mod arrival_stories;
#[cfg(test)]
mod arrivals;
#[cfg(test)]
mod card;
#[cfg(test)]
mod detecting;
#[cfg(test)]
mod looking;
#[cfg(test)]
mod models;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod tiles;
