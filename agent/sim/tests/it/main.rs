//! What the simulation promises: pictures and seasons repeat, laws hold, and
//! every law catches what breaks it.

mod broken_laws;
mod offers;
mod plates;
mod seasons;
mod sequences;
