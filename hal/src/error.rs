//! One error for every device: which one, and what can be done about it.

use std::error::Error;

/// What kind of failure it is, which is what the agent reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Not there: unplugged, or not configured.
    Absent,
    /// In use by somebody else.
    Busy,
    /// Failed this time; the next try may succeed.
    Transient,
    /// Failed in a way that trying again does not mend.
    Broken,
}

/// A device that did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{device}: {message}")]
pub struct DeviceError {
    /// The part in the words of the wiring table: `camera`, `climate`, `light`, `battery`.
    pub device: &'static str,
    /// What can be done about it.
    pub kind: FaultKind,
    /// What went wrong, with the path or address, in one clause.
    pub message: String,
    /// The error below, if there is one.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl DeviceError {
    /// A failure without a deeper cause.
    pub fn new(device: &'static str, kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            device,
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}
