//! What changed on a card since the last picture.
//!
//! A fixed camera sees nearly the same card every time: the sun moved, the wind pushed the trap a little, and perhaps
//! an insect came. All that is compared here is a small grey copy of each picture, an eighth of a byte per pixel or
//! less, and of it only the part that shows the card.
//!
//! ```text
//! Picture ─ grey ─► Grey ─ flat ─► Flat ─ align ─► Motion ─ compare ─► changed cells ─ windows ─► where to look
//!    │               small copy     lighting         this against        of 16 x 16 px
//!    │               and quality    divided out      the last picture    or so
//!    └─ card ─► Region: where the card lies; found once, it moves with the Motion
//! ```
//!
//! Additions, multiplications, divisions and square roots only: the same numbers on every processor.

pub mod align;
pub mod card;
pub mod compare;
pub mod flat;
pub mod grey;
pub mod windows;
