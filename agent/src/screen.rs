//! What the little display of a trap says, and when.
//!
//! Pure: [`Facts`] become [`Sheet`]s, a sheet becomes a picture for one size of
//! panel, and the [`Carousel`] says which sheet it is, or none. A sheet is read
//! at arm's length by somebody with cold hands: a large figure first, at most
//! four lines, and every text fits (`screen/tests.rs` tries the extremes). What
//! does not fit on one sheet goes on on the next; nothing is cut.
//!
//! A failure of the panel itself is the caller's business; nothing here waits
//! or fails.

mod carousel;
mod enrol;
mod facts;
mod figure;
mod layout;
mod pages;
mod words;

pub use carousel::{Carousel, Shows};
pub use facts::{
    Battery, Check, Doing, Facts, Insects, Invitation, LastDay, NextPicture, Problem, Queue,
    SdCard, TimeOfDay, Today, Verdict,
};
pub use layout::draw;
pub use pages::{Body, Page, Sheet, SheetId, sheets};

#[cfg(test)]
mod tests;
