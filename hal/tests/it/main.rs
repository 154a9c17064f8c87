//! What needs processes of its own.

#[cfg(test)]
mod lamp_guard;
