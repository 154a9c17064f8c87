//! One individual: its evidence and its end.
