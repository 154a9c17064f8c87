//! What fetching an offered file has in common, whatever it is: when it is tried
//! again, and which bytes are believed.

use super::uplink::UplinkError;
use std::time::Duration;
use tokio::time::Instant;

/// A fetch that failed is tried again after this time, doubled with each failure in a row.
const AGAIN_MIN: Duration = Duration::from_mins(1);
const AGAIN_MAX: Duration = Duration::from_mins(30);

/// What one step of a fetch came to.
#[derive(Debug)]
pub enum Step {
    /// A piece came, or a file was proved.
    Done,
    /// The server cannot be reached, which concerns all of sync.
    NotHeard(UplinkError),
}

/// When the next piece may be asked for, so that a fetch that fails never holds pictures back.
#[derive(Debug, Default)]
pub struct Rests {
    failures: u32,
    not_before: Option<Instant>,
}

impl Rests {
    /// Whether it is too early.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.not_before.is_some_and(|at| Instant::now() < at)
    }

    /// A piece came.
    pub fn went_well(&mut self) {
        *self = Self::default();
    }

    /// A piece did not come.
    pub fn failed(&mut self) {
        let doubled = AGAIN_MIN.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + doubled.min(AGAIN_MAX));
    }

    /// All has to come once more, in a while.
    pub fn anew(&mut self) {
        self.not_before = Some(Instant::now() + AGAIN_MIN);
    }
}

/// No more bytes than were asked for, and some.
///
/// # Errors
/// [`UplinkError::Nonsense`] when it is otherwise.
pub fn believable(bytes: Vec<u8>, len_bytes: u64) -> Result<Vec<u8>, UplinkError> {
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found == 0 || found > len_bytes {
        return Err(UplinkError::Nonsense(format!(
            "it gives {found} bytes of an offered file where {len_bytes} were asked for"
        )));
    }
    Ok(bytes)
}
