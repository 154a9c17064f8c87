//! Reading a saved tracker without trust.
