//! Where the card lies in the picture.
