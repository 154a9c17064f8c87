//! What changed on a card since the last picture.
//!
//! A fixed camera sees nearly the same card every time: the sun moved, the wind pushed the trap a little, and perhaps
//! an insect came. All that is compared here is a small grey copy of each picture, an eighth of a byte per pixel or
//! less, so a comparison costs about as much as the network on half a tile.
//!
//! ```text
//! Picture ─ grey ─► Grey ─ flat ─► Flat ─ align ─► Motion ─ compare ─► changed blocks ─ windows ─► where to look
//!                    small copy     lighting         this against        clusters of
//!                    and quality    divided out      the last picture    32 x 32 px or so
//! ```
//!
//! Additions, multiplications, divisions and square roots only: the same numbers on every processor.

pub mod align;
pub mod card;
pub mod compare;
pub mod flat;
pub mod grey;
pub mod windows;
