//! Chance from a seed: the same on every machine and with every library version,
//! so that a season can be played again years later from its seed alone.

/// A stream of random numbers (SplitMix64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream that belongs to a seed and a path of numbers, e.g. trap and hour.
    #[must_use]
    pub fn new(seed: u64, path: &[u64]) -> Self {
        let state = path.iter().fold(mix(seed), |state, &step| {
            mix(state ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        });
        Self { state }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Evenly in `0 ≤ x < 1`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly in `from ≤ x < until`.
    pub fn between(&mut self, from: f64, until: f64) -> f64 {
        from + (until - from) * self.unit()
    }

    /// The same as [`between`](Self::between) in single precision, for pixels.
    #[expect(clippy::cast_possible_truncation, reason = "a pixel needs no more")]
    pub fn near(&mut self, from: f32, until: f32) -> f32 {
        self.between(f64::from(from), f64::from(until)) as f32
    }

    /// Evenly in `0 ≤ n < count`; 0 when there is nothing to choose from.
    pub fn below(&mut self, count: u64) -> u64 {
        self.bits().checked_rem(count).unwrap_or(0)
    }

    /// Whether something with this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// From the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Waiting time until the next of events that come once in `mean` on average.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// How many events come when `mean` are expected; at most 10 000.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = mean;
        let mut count = 0;
        while count < 10_000 {
            left -= self.wait(1.0);
            if left < 0.0 {
                break;
            }
            count += 1;
        }
        count
    }
}

/// Spreads the bits of a number so that neighbours have nothing in common.
#[must_use]
pub fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_path_are_one_stream() {
        let three = |path: &[u64]| {
            let mut chance = Chance::new(7, path);
            [chance.bits(), chance.bits(), chance.bits()]
        };
        assert_eq!(three(&[1, 2]), three(&[1, 2]));
        assert_ne!(three(&[1, 2]), three(&[2, 1]));
    }

    #[test]
    fn poisson_has_its_mean() {
        let mut chance = Chance::new(1, &[]);
        let total: u32 = (0..4000).map(|_| chance.poisson(3.0)).sum();
        assert!((11_400..12_600).contains(&total), "{total}");
    }
}
