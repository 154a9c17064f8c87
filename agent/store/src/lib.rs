//! The ledger of a trap: SQLite rows and picture files that survive a power cut.

#![warn(missing_docs)]

pub mod disk;
mod error;
mod image_files;
mod ledger;
mod recover;
mod tokens;

pub use disk::{Disk, OsDisk};
pub use error::{Cause, Returned, StoreError};
pub use ledger::{
    BatchLimits, CaptureRow, EffortRow, InspectionRow, InspectionState, LastCapture, Ledger,
    NewCapture, NewInspection, NewReading, Outgoing, PictureOrder, PictureState, Prunable,
    ReadingRow, RecordState, Summary, Usage, View, set_database_aside,
};
pub use recover::Recovery;
pub use tokens::{Fresh, NextPicture, Planned, Sendable};
