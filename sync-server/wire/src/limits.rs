//! The limits that both sides keep, so that neither can drown the other.

/// Records of one kind in one sync request.
pub const BATCH_RECORDS_MAX: usize = 200;
/// Bytes of JSON in one sync request.
pub const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Boxes in one inspection.
pub const DETECTIONS_MAX: usize = 5_000;
/// Bytes of one picture.
pub const PICTURE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of one model file.
pub const MODEL_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes of one model manifest.
pub const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of one bundle, an update of the whole system.
pub const BUNDLE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of any free text in a record (a file name, an error message).
pub const TEXT_BYTES_MAX: usize = 500;
/// Faults in one heartbeat.
pub const FAULTS_MAX: usize = 50;
/// Hours after its last byte at which an unfinished upload is forgotten.
pub const UPLOAD_EXPIRES_HOURS: u64 = 7 * 24;
/// Items of one page that a researcher asks for.
pub const PAGE_ITEMS_MAX: u32 = 500;
/// Points of one series in a time line.
pub const TIMELINE_POINTS_MAX: usize = 20_000;
