//! Whether a model may take over, and whether it may stay. Pure.

use trapline_store::ModelRow;

/// Differences below this are the machine's, not the model's.
const NOISE_MS: u64 = 200;
/// One look may fail for the picture's sake or the machine's; two are the model's.
const FAILURES_MAX: u32 = 2;
/// The trial compares both models on the same picture in the same minute; the
/// looks of a probation are compared with those of other hours, in other heat
/// and load, and are allowed so many times more.
const PROBATION_FACTOR: u64 = 2;
/// Fewer looks than this say nothing about time.
const LOOKS_MIN: usize = 5;

/// One stored picture, looked at by both models, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The offered model.
    pub candidate_ms: u64,
    /// The model in use.
    pub current_ms: u64,
}

/// How long looks took, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Of the model on probation.
    pub own: Vec<u64>,
    /// Of the one before it.
    pub before: Vec<u64>,
}

/// What a probation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probation {
    /// More pictures are needed.
    GoesOn,
    /// It is the trap's model.
    Passed,
    /// It is taken back, for this reason.
    Failed(String),
}

/// Why a model may not take over after its trial; `None` when it may.
#[must_use]
pub fn trial(pairs: &[Pair], slower_max_percent: u64) -> Option<String> {
    let candidate_ms = median(pairs.iter().map(|pair| pair.candidate_ms).collect())?;
    let current_ms = median(pairs.iter().map(|pair| pair.current_ms).collect())?;
    too_slow(candidate_ms, current_ms, slower_max_percent)
}

/// What the looks since the model took over have come to.
#[must_use]
pub fn probation(
    row: &ModelRow,
    times: &Times,
    pictures: u32,
    slower_max_percent: u64,
) -> Probation {
    if row.failures >= FAILURES_MAX {
        let looks = row.failures + row.looks;
        let why = format!("{} of its first {looks} looks failed", row.failures);
        return Probation::Failed(why);
    }
    let own = times.own.iter().copied().take(row.looks as usize);
    let own: Vec<u64> = own.collect();
    let is_enough = own.len() >= LOOKS_MIN.min(pictures as usize);
    if is_enough
        && let Some(own_ms) = median(own)
        && let Some(before_ms) = median(times.before.clone())
        && let Some(why) = too_slow(
            own_ms,
            before_ms,
            slower_max_percent.saturating_mul(PROBATION_FACTOR),
        )
    {
        return Probation::Failed(why);
    }
    if row.looks >= pictures {
        return Probation::Passed;
    }
    Probation::GoesOn
}

fn too_slow(own_ms: u64, before_ms: u64, slower_max_percent: u64) -> Option<String> {
    let allowed_ms = before_ms.saturating_mul(slower_max_percent) / 100;
    if own_ms <= allowed_ms.max(before_ms.saturating_add(NOISE_MS)) {
        return None;
    }
    Some(format!(
        "it takes {own_ms} ms a picture, the model before it {before_ms} ms; \
         {slower_max_percent} % of that are allowed"
    ))
}

/// The middle one, which a single slow look does not move.
fn median(mut times_ms: Vec<u64>) -> Option<u64> {
    times_ms.sort_unstable();
    times_ms.get(times_ms.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trapline_store::ModelStage;
    use trapline_wire::Sha256;
    use trapline_wire::v1::ModelOffer;

    fn row(looks: u32, failures: u32) -> ModelRow {
        ModelRow {
            seq: 1,
            offer: ModelOffer {
                id: "m".to_owned(),
                sha256: Sha256::of(b"m"),
                size_bytes: 1,
                manifest_sha256: Sha256::of(b"n"),
                manifest_size_bytes: 1,
            },
            stage: ModelStage::Probation,
            reason: String::new(),
            since_ms: 0,
            wrong: 0,
            starts: looks + failures,
            looks,
            failures,
            before: None,
        }
    }

    #[test]
    fn a_trial_is_about_the_middle_picture() {
        let pair = |candidate_ms, current_ms| Pair {
            candidate_ms,
            current_ms,
        };
        let one_slow = [pair(1000, 1000), pair(9000, 1000), pair(1100, 1000)];
        assert_eq!(trial(&one_slow, 150), None);
        let slow = [pair(1600, 1000), pair(1700, 1000), pair(900, 1000)];
        let why = trial(&slow, 150).unwrap();
        assert!(why.contains("1600 ms") && why.contains("1000 ms"), "{why}");
        assert_eq!(trial(&slow, 200), None);
        let noise = [pair(190, 20)];
        assert_eq!(
            trial(&noise, 150),
            None,
            "a tenth of a second is nobody's fault"
        );
        assert_eq!(
            trial(&[], 150),
            None,
            "without pictures there is only the probation"
        );
    }

    #[test]
    fn a_probation_ends_by_trouble_by_slowness_or_well() {
        let times = |own, before: u64| Times {
            own: vec![own; 20],
            before: vec![before; 20],
        };
        assert_eq!(
            probation(&row(4, 1), &times(900, 900), 10, 150),
            Probation::GoesOn
        );
        assert_eq!(
            probation(&row(10, 1), &times(900, 900), 10, 150),
            Probation::Passed
        );
        let failed = probation(&row(4, 2), &times(900, 900), 10, 150);
        assert!(matches!(failed, Probation::Failed(why) if why.contains("2 of its first 6")));
        let slow = probation(&row(5, 0), &times(3000, 900), 10, 150);
        assert!(matches!(slow, Probation::Failed(why) if why.contains("3000 ms")));
        let load = probation(&row(5, 0), &times(2000, 900), 10, 150);
        assert_eq!(
            load,
            Probation::GoesOn,
            "a busy hour is not the model's fault"
        );
        assert_eq!(
            probation(&row(4, 0), &times(3000, 900), 10, 150),
            Probation::GoesOn,
            "four looks say nothing about time"
        );
        let unknown = Times {
            own: vec![2000; 20],
            before: Vec::new(),
        };
        assert_eq!(probation(&row(10, 0), &unknown, 10, 150), Probation::Passed);
    }
}
