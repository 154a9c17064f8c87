//! What is sent next. Pure. Small knowledge goes before large pictures: how
//! the trap is and every waiting record, then one piece of a model that was
//! offered or of one picture, and then the records are looked at again.

use std::time::Duration;
use trapline_wire::limits::BATCH_BYTES_MAX;

/// A piece that took longer than this makes the next one smaller.
const PIECE_TIME_MAX: Duration = Duration::from_secs(20);
/// A piece that took less than this makes the next one larger.
const PIECE_TIME_MIN: Duration = Duration::from_secs(5);
/// The first piece on an unknown link, and the smallest on any.
pub const PIECE_BYTES_FIRST: u64 = 128 * 1024;
const PIECE_BYTES_MIN: u64 = 16 * 1024;

/// What took less than this says that the link is of another kind than thought.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A batch that took longer than this makes the next one smaller: a cut loses it whole.
const BATCH_TIME_MAX: Duration = Duration::from_secs(6);
/// A batch that took less than this makes the next one larger.
const BATCH_TIME_MIN: Duration = Duration::from_secs(2);
/// Bytes of the first batch on an unknown link, and of the smallest that is aimed at on any.
pub const BATCH_BYTES_FIRST: usize = 64 * 1024;
const BATCH_BYTES_MIN: usize = 8 * 1024;

/// What the stage knows before a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// Records wait for the server.
    pub records_wait: bool,
    /// Time since the server last took a heartbeat; `None` when it never did in this run.
    pub silent_for: Option<Duration>,
    /// The longest silence of a trap that is well.
    pub heartbeat_every: Duration,
    /// A model's file waits to be fetched.
    pub model_waits: bool,
    /// An update's bundle waits to be fetched.
    pub update_waits: bool,
    /// The last piece was one of a picture.
    pub is_updates_turn: bool,
    /// Something should be said before the next heartbeat is due.
    pub has_news: bool,
    /// A picture waits that may be tried now.
    pub picture_waits: bool,
    /// Pictures became safe since the last heartbeat, which therefore says too many wait.
    pub heartbeat_is_stale: bool,
}

/// What to do in this step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Send a batch: a heartbeat with the records that fit.
    Batch,
    /// Fetch a piece of a model.
    Model,
    /// Fetch a piece of an update, in turn with pictures: neither waits for all of the other.
    Update,
    /// Send a piece of a picture.
    Piece,
    /// Nothing to do before this time.
    Rest(Duration),
}

/// The next thing to send.
#[must_use]
pub fn next(now: Situation) -> Plan {
    let Some(silent_for) = now.silent_for else {
        return Plan::Batch;
    };
    if now.records_wait || now.has_news || silent_for >= now.heartbeat_every {
        Plan::Batch
    } else if now.model_waits {
        Plan::Model
    } else if now.update_waits && (now.is_updates_turn || !now.picture_waits) {
        Plan::Update
    } else if now.picture_waits {
        Plan::Piece
    } else if now.heartbeat_is_stale {
        Plan::Batch
    } else {
        Plan::Rest(now.heartbeat_every.saturating_sub(silent_for))
    }
}

/// How long the next piece should be, from how long the last one took.
#[must_use]
pub fn next_piece_bytes(last_bytes: u64, took: Duration, max_bytes: u64) -> u64 {
    let next = if took > PIECE_TIME_MAX {
        last_bytes / 2
    } else if took < AT_ONCE {
        last_bytes.saturating_mul(4)
    } else if took < PIECE_TIME_MIN {
        last_bytes.saturating_mul(2)
    } else {
        last_bytes
    };
    next.max(PIECE_BYTES_MIN).min(max_bytes)
}

/// How many bytes of JSON the next batch should have, from those of the last one and how long it took.
#[must_use]
pub fn next_batch_bytes(aim_bytes: usize, sent_bytes: usize, took: Duration) -> usize {
    if took > BATCH_TIME_MAX {
        return (aim_bytes.min(sent_bytes) / 2).max(BATCH_BYTES_MIN);
    }
    // A batch of what there was says little about a larger one.
    let was_full = sent_bytes.saturating_mul(2) >= aim_bytes;
    let factor = match took {
        _ if !was_full => 1,
        _ if took < AT_ONCE => 4,
        _ if took < BATCH_TIME_MIN => 2,
        _ => 1,
    };
    aim_bytes.saturating_mul(factor).min(BATCH_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_mins(15);

    #[test]
    fn records_go_before_pictures_and_silence_has_an_end() {
        let quiet = Situation {
            records_wait: false,
            silent_for: Some(Duration::from_mins(5)),
            heartbeat_every: QUARTER,
            model_waits: false,
            update_waits: false,
            is_updates_turn: false,
            has_news: false,
            picture_waits: false,
            heartbeat_is_stale: false,
        };
        assert_eq!(next(quiet), Plan::Rest(Duration::from_mins(10)));
        let all_gone = Situation {
            heartbeat_is_stale: true,
            ..quiet
        };
        assert_eq!(next(all_gone), Plan::Batch);
        let with_picture = Situation {
            picture_waits: true,
            ..all_gone
        };
        assert_eq!(next(with_picture), Plan::Piece);
        let with_update = Situation {
            update_waits: true,
            ..with_picture
        };
        assert_eq!(next(with_update), Plan::Piece);
        let in_turn = Situation {
            is_updates_turn: true,
            ..with_update
        };
        assert_eq!(next(in_turn), Plan::Update);
        let no_picture = Situation {
            picture_waits: false,
            ..with_update
        };
        assert_eq!(next(no_picture), Plan::Update);
        let with_model = Situation {
            model_waits: true,
            ..with_picture
        };
        assert_eq!(next(with_model), Plan::Model);
        for urgent in [
            Situation {
                records_wait: true,
                ..with_picture
            },
            Situation {
                silent_for: None,
                ..with_picture
            },
            Situation {
                has_news: true,
                ..with_model
            },
            Situation {
                silent_for: Some(QUARTER),
                ..with_picture
            },
        ] {
            assert_eq!(next(urgent), Plan::Batch);
        }
    }

    #[test]
    fn batches_follow_the_link_and_stay_small_on_a_slow_one() {
        let second = Duration::from_secs(1);
        assert_eq!(next_batch_bytes(100_000, 90_000, second / 2), 400_000);
        assert_eq!(next_batch_bytes(100_000, 90_000, second), 200_000);
        assert_eq!(next_batch_bytes(100_000, 90_000, 4 * second), 100_000);
        assert_eq!(next_batch_bytes(100_000, 10_000, second / 2), 100_000);
        assert_eq!(next_batch_bytes(100_000, 90_000, 7 * second), 45_000);
        assert_eq!(next_batch_bytes(9_000, 9_000, 7 * second), 8 * 1024);
        assert_eq!(
            next_batch_bytes(2_000_000, 1_900_000, second),
            BATCH_BYTES_MAX
        );
    }

    #[test]
    fn pieces_follow_the_link_within_limits() {
        let second = Duration::from_secs(1);
        assert_eq!(next_piece_bytes(100_000, 2 * second, 1 << 20), 200_000);
        assert_eq!(next_piece_bytes(100_000, second / 2, 1 << 20), 400_000);
        assert_eq!(next_piece_bytes(900_000, second, 1 << 20), 1 << 20);
        assert_eq!(next_piece_bytes(100_000, 30 * second, 1 << 20), 50_000);
        assert_eq!(next_piece_bytes(20_000, 30 * second, 1 << 20), 16 * 1024);
        assert_eq!(next_piece_bytes(1 << 20, second, 4096), 4096);
    }
}
