//! What a convolution is, and which ones the kernels can run.

/// Windows, strides, dilations and paddings end here: far more than any network has, and no product of them overflows.
const REACH_MAX: usize = 64;
/// Bytes of one feature map, border included.
const MAP_BYTES_MAX: u64 = 1 << 31;

/// One quantized convolution, ReLU included where the output's zero point is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// Channels of the input and of the output.
    pub channels_in: usize,
    pub channels_out: usize,
    /// Height and width of the window.
    pub window: [usize; 2],
    /// Steps down and to the right.
    pub stride: [usize; 2],
    /// Distance of neighbouring taps, 1 when they touch.
    pub dilation: [usize; 2],
    /// Pixels of zero point added above, left, below and right.
    pub padding: [usize; 4],
    /// Output channel, input channel, row, column; zero point taken off; -127..=127.
    pub weights: Vec<i8>,
    /// One per output channel, in units of input scale x weight scale.
    pub bias: Vec<i32>,
    /// The input byte that means 0.
    pub zero_in: u8,
    /// Input scale x weight scale / output scale, one per output channel.
    pub multipliers: Vec<f32>,
    /// The output byte that means 0.
    pub zero_out: u8,
}

/// A chain of convolutions whose last answer feeds one or more heads.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Channels, height and width of the input.
    pub input: [usize; 3],
    /// Each reads what the one before it wrote.
    pub body: Vec<Convolution>,
    /// All read what the last of the body wrote.
    pub heads: Vec<Convolution>,
}

/// The network is none that the kernels can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("convolution {layer}: {problem}")]
pub struct SpecError {
    /// Counted from 0, the heads after the body.
    pub layer: usize,
    pub problem: String,
}

impl Convolution {
    /// Height and width of the answer to an input of this size; `None` when the window does not fit.
    pub fn output_size(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let [top, left, bottom, right] = self.padding;
        let along = |axis: usize, padded: usize| {
            let reach = self.dilation.get(axis)? * (self.window.get(axis)?.checked_sub(1)?) + 1;
            Some(padded.checked_sub(reach)? / self.stride.get(axis)? + 1)
        };
        Some([
            along(0, height + top + bottom)?,
            along(1, width + left + right)?,
        ])
    }

    /// Multiplications and additions per output pixel.
    pub fn macs_per_pixel(&self) -> usize {
        self.weights.len()
    }

    /// Weights of one output channel.
    pub(crate) fn weights_per_channel(&self) -> usize {
        self.channels_in * self.window.iter().product::<usize>()
    }

    fn problem(&self) -> Option<String> {
        let out = self.channels_out;
        let numbers = [self.channels_in, out]
            .into_iter()
            .chain(self.window)
            .chain(self.stride)
            .chain(self.dilation);
        if numbers.into_iter().any(|n| n == 0) {
            return Some("channels, window, stride and dilation start at 1".to_owned());
        }
        let reaches = self.window.into_iter().chain(self.stride);
        let mut reaches = reaches.chain(self.dilation).chain(self.padding);
        if reaches.any(|n| n > REACH_MAX) {
            return Some(format!(
                "window, stride, dilation and padding end at {REACH_MAX}"
            ));
        }
        if self.weights.len() != self.weights_per_channel() * out
            || self.bias.len() != out
            || self.multipliers.len() != out
        {
            return Some(format!(
                "{} weights, {} biases and {} multipliers do not make {out} channels",
                self.weights.len(),
                self.bias.len(),
                self.multipliers.len()
            ));
        }
        if self.weights.contains(&i8::MIN) {
            return Some("weights reach from -127 to 127; one is -128".to_owned());
        }
        if !self.multipliers.iter().all(|m| m.is_finite() && *m >= 0.0) {
            return Some("a scale is negative or no number".to_owned());
        }
        let channels = self.weights.chunks_exact(self.weights_per_channel());
        for (weights, bias) in channels.zip(&self.bias) {
            let reach: i64 = weights.iter().map(|w| i64::from(*w).abs() * 255).sum();
            // Twice: once for the products, once for the zero point that moves into the bias.
            if 2 * reach + i64::from(*bias).abs() > i64::from(i32::MAX) {
                return Some("the sums do not fit in 32 bits".to_owned());
            }
        }
        None
    }
}

impl Network {
    /// Checks that every layer makes sense and fits on the one before it.
    ///
    /// # Errors
    /// The first layer that does not, and why.
    pub fn check(&self) -> Result<(), SpecError> {
        let [mut channels, mut height, mut width] = self.input;
        if !is_map(channels, height, width) {
            return Err(SpecError {
                layer: 0,
                problem: format!("an input of {channels}x{height}x{width} is empty or too large"),
            });
        }
        let all = self.body.iter().chain(&self.heads).enumerate();
        for (layer, convolution) in all {
            let wrong = |problem: String| SpecError { layer, problem };
            if let Some(problem) = convolution.problem() {
                return Err(wrong(problem));
            }
            if convolution.channels_in != channels {
                return Err(wrong(format!(
                    "it takes {} channels and gets {channels}",
                    convolution.channels_in
                )));
            }
            let Some([high, wide]) = convolution.output_size(height, width) else {
                return Err(wrong(format!("its window is larger than {height}x{width}")));
            };
            if !is_map(convolution.channels_out, high, wide) {
                return Err(wrong(format!("its answer of {high}x{wide} is too large")));
            }
            if layer < self.body.len() {
                (channels, height, width) = (convolution.channels_out, high, wide);
            } else if self
                .heads
                .first()
                .is_some_and(|first| first.zero_in != convolution.zero_in)
            {
                return Err(wrong(
                    "the heads read one map with two zero points".to_owned(),
                ));
            }
        }
        if self.heads.is_empty() {
            return Err(SpecError {
                layer: self.body.len(),
                problem: "the chain has no head, so no answer".to_owned(),
            });
        }
        Ok(())
    }

    /// Multiplications and additions for one input.
    pub fn macs(&self) -> u64 {
        let [_, mut height, mut width] = self.input;
        let mut sum = 0;
        for (layer, convolution) in self.body.iter().chain(&self.heads).enumerate() {
            let [high, wide] = convolution.output_size(height, width).unwrap_or_default();
            sum += (high * wide * convolution.macs_per_pixel()) as u64;
            if layer < self.body.len() {
                (height, width) = (high, wide);
            }
        }
        sum
    }
}

/// Whether a map of this size, with the widest border and elements there are, can be held; empty ones cannot.
fn is_map(channels: usize, height: usize, width: usize) -> bool {
    let side = |pixels: usize| pixels.saturating_add(2 * REACH_MAX) as u64;
    let bytes = side(height)
        .saturating_mul(side(width))
        .saturating_mul(channels.saturating_add(3) as u64 * 2);
    channels > 0 && height > 0 && width > 0 && bytes <= MAP_BYTES_MAX
}
