//! The chain: two maps that take turns, planned once, used again for every tile.

use crate::choose::Path;
use crate::kernel::{Form, Kernel, Rectangle};
use crate::lines::Lines;
use crate::map::Map;
use crate::pack::{Block, Packed, pack};
use crate::spec::{Convolution, Network, SpecError};

/// A network, packed for one instruction set.
pub struct Chain {
    path: Path,
    kernel: &'static Kernel,
    /// Channels of the input as it is handed over.
    channels_in: usize,
    zero_in: u8,
    input: Map,
    body: Vec<Layer>,
    heads: Vec<Layer>,
    /// The larger map of those with even, and of those with odd numbers.
    sizes_bytes: [usize; 2],
}

/// The memory of a running chain, reused from tile to tile.
pub struct Buffers([Lines; 2]);

/// The pixels of one input.
#[derive(Clone, Copy)]
pub enum Pixels<'a> {
    /// Plane after plane: channel, row, column.
    Planar(&'a [u8]),
    /// Row, column, channel; each row begins `row_bytes` after the one before it.
    Interleaved { bytes: &'a [u8], row_bytes: usize },
}

struct Layer {
    packed: Packed,
    input: Map,
    output: Map,
    /// The first tap of the first output pixel, in the input's bytes.
    start: usize,
    stride: [usize; 2],
    lowest: f32,
    highest: f32,
    zero: i32,
    /// What the output's border is filled with: the next layer's zero point.
    border_zero: u8,
}

impl Chain {
    /// Checks and packs `network` for `path`.
    ///
    /// # Errors
    /// A layer makes no sense or does not fit on the one before it, or this processor does not have `path`.
    pub fn new(network: &Network, path: Path) -> Result<Self, SpecError> {
        network.check()?;
        let kernel = path.kernel().ok_or_else(|| SpecError {
            layer: 0,
            problem: format!("this processor does not have {path}"),
        })?;
        let [channels, height, width] = network.input;
        let readers = |after: usize| match network.body.get(after) {
            Some(next) => std::slice::from_ref(next),
            None => network.heads.as_slice(),
        };
        let input = map(kernel.form, [channels, height, width], readers(0));
        let mut last = input.clone();
        let mut body = Vec::new();
        for (number, layer) in network.body.iter().enumerate() {
            let built = Layer::new(layer, &last, readers(number + 1), kernel);
            last = built.output.clone();
            body.push(built);
        }
        let heads = network.heads.iter();
        let heads: Vec<Layer> = heads
            .map(|head| Layer::new(head, &last, &[], kernel))
            .collect();
        let body_sizes = body.iter().map(|layer| layer.output.size_bytes());
        let sizes: Vec<usize> = std::iter::once(input.size_bytes())
            .chain(body_sizes)
            .collect();
        let largest = |parity: usize| sizes.iter().skip(parity).step_by(2).max().copied();
        let mut sizes_bytes = [largest(0).unwrap_or(0), largest(1).unwrap_or(0)];
        let answers = heads.iter().map(|head| head.output.size_bytes()).max();
        if let Some(size) = sizes_bytes.get_mut(sizes.len() % 2) {
            *size = answers.unwrap_or(0).max(*size);
        }
        Ok(Self {
            path,
            kernel,
            channels_in: channels,
            zero_in: readers(0).first().map_or(0, |layer| layer.zero_in),
            input,
            body,
            heads,
            sizes_bytes,
        })
    }

    /// The instruction set it was packed for.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Memory for one run at a time.
    pub fn buffers(&self) -> Buffers {
        Buffers(self.sizes_bytes.map(Lines::zeroed))
    }

    /// Channels, height and width of each head's answer.
    pub fn output_shapes(&self) -> Vec<[usize; 3]> {
        let heads = self.heads.iter();
        heads
            .map(|head| [head.output.channels, head.output.height, head.output.width])
            .collect()
    }

    /// Runs the chain. Answers are planes of bytes (channel, row, column), one vector per head.
    ///
    /// # Panics
    /// `pixels` holds less than the network's input.
    pub fn run(&self, pixels: Pixels<'_>, buffers: &mut Buffers) -> Vec<Vec<u8>> {
        for (lines, size_bytes) in buffers.0.iter_mut().zip(self.sizes_bytes) {
            if lines.size_bytes() < size_bytes {
                *lines = Lines::zeroed(size_bytes);
            }
        }
        let [even, odd] = &mut buffers.0;
        let (mut from, mut to) = (even, odd);
        self.input.fill_border(from.bytes_mut(), self.zero_in);
        self.read(pixels, from.bytes_mut());
        for layer in &self.body {
            layer.output.fill_border(to.bytes_mut(), layer.border_zero);
            layer.run(self.kernel, from, to);
            std::mem::swap(&mut from, &mut to);
        }
        let heads = self.heads.iter();
        heads
            .map(|head| {
                head.run(self.kernel, from, to);
                head.planes(to.bytes())
            })
            .collect()
    }

    /// Copies the input into its map.
    fn read(&self, pixels: Pixels<'_>, to: &mut [u8]) {
        let [height, width] = [self.input.height, self.input.width];
        let (pixel_bytes, element_bytes) =
            (self.input.pixel_bytes(), self.input.form.element_bytes());
        let channels = self.channels_in;
        match pixels {
            Pixels::Planar(bytes) => {
                assert!(bytes.len() >= channels * height * width, "a whole input");
                for (channel, plane) in bytes
                    .chunks_exact(height * width)
                    .take(channels)
                    .enumerate()
                {
                    for (row, line) in self.input.rows_mut(to).zip(plane.chunks_exact(width)) {
                        for (pixel, byte) in row.chunks_exact_mut(pixel_bytes).zip(line) {
                            let element = pixel.chunks_exact_mut(element_bytes).nth(channel);
                            self.input.store(element.unwrap_or_default(), *byte);
                        }
                    }
                }
            }
            Pixels::Interleaved { bytes, row_bytes } => {
                assert!(
                    bytes.len() >= (height - 1) * row_bytes + width * channels,
                    "a whole input"
                );
                for (row, line) in self.input.rows_mut(to).zip(bytes.chunks(row_bytes)) {
                    let pixels = line.chunks_exact(channels);
                    for (pixel, bytes) in row.chunks_exact_mut(pixel_bytes).zip(pixels) {
                        for (element, byte) in pixel.chunks_exact_mut(element_bytes).zip(bytes) {
                            self.input.store(element, *byte);
                        }
                    }
                }
            }
        }
    }
}

/// The map for a layer's answer, with the border that its readers need.
fn map(form: Form, [channels, height, width]: [usize; 3], readers: &[Convolution]) -> Map {
    let mut border = [0; 4];
    for reader in readers {
        for (widest, padding) in border.iter_mut().zip(reader.padding) {
            *widest = padding.max(*widest);
        }
    }
    Map {
        form,
        channels,
        height,
        width,
        border,
    }
}

impl Layer {
    fn new(layer: &Convolution, input: &Map, readers: &[Convolution], kernel: &Kernel) -> Self {
        let [high, wide] = layer
            .output_size(input.height, input.width)
            .unwrap_or_default();
        let output = map(kernel.form, [layer.channels_out, high, wide], readers);
        let [top, left, ..] = layer.padding;
        let zero = f32::from(layer.zero_out);
        Self {
            packed: pack(layer, input, kernel),
            start: (input.border[0] - top) * input.row_bytes()
                + (input.border[1] - left) * input.pixel_bytes(),
            stride: layer.stride,
            lowest: -zero,
            highest: 255.0 - zero,
            zero: i32::from(layer.zero_out) - kernel.form.offset(),
            border_zero: readers.first().map_or(0, |reader| reader.zero_in),
            input: input.clone(),
            output,
        }
    }

    fn run(&self, kernel: &Kernel, from: &Lines, to: &mut Lines) {
        assert!(from.size_bytes() >= self.input.size_bytes());
        assert!(to.size_bytes() >= self.output.size_bytes());
        for block in &self.packed.blocks {
            for row in 0..self.output.height {
                self.run_row(kernel, block, row, (from, &mut *to));
            }
        }
    }

    fn run_row(
        &self,
        kernel: &Kernel,
        block: &Block,
        row: usize,
        (from, to): (&Lines, &mut Lines),
    ) {
        let width = self.output.width;
        let pixel_stride_bytes = self.stride[1] * self.input.pixel_bytes();
        let output_stride_bytes = self.output.pixel_bytes();
        let first_in = self.start + row * self.stride[0] * self.input.row_bytes();
        let first_out = self.output.origin()
            + row * self.output.row_bytes()
            + block.first_channel * self.output.form.element_bytes();
        let (input, output) = (from.bytes().as_ptr(), to.bytes_mut().as_mut_ptr());
        let run_at = |x: usize, micro: crate::kernel::Micro| {
            let work = Rectangle {
                // SAFETY: the map has a border as wide as the padding, so the first tap lies inside it.
                input: unsafe { input.add(first_in + x * pixel_stride_bytes) },
                pixel_stride_bytes,
                runs: &self.packed.runs,
                run_steps: self.packed.run_steps,
                weights: block.weights.bytes().as_ptr(),
                is_calm: block.is_calm,
                bias: block.bias.bytes().as_ptr().cast(),
                multipliers: block.multipliers.bytes().as_ptr().cast(),
                lowest: self.lowest,
                highest: self.highest,
                zero: self.zero,
                // SAFETY: pixel x of this row is a pixel of the output map.
                output: unsafe { output.add(first_out + x * output_stride_bytes) },
                output_stride_bytes,
                channels: block.channels,
            };
            // SAFETY: `Path::kernel` gave this kernel, so the processor has its instructions; `Convolution::output_size`
            // says that all taps of the output pixels lie inside the border, and maps end with slack.
            unsafe { micro(&work) };
        };
        if width >= kernel.pixels {
            for x in (0..=width - kernel.pixels).step_by(kernel.pixels) {
                run_at(x, block.width.many);
            }
            if !width.is_multiple_of(kernel.pixels) {
                // The last pixels once more, together with those that are missing: the same bytes again.
                run_at(width - kernel.pixels, block.width.many);
            }
        } else {
            (0..width).for_each(|x| run_at(x, block.width.one));
        }
    }

    /// The answer as planes of bytes.
    fn planes(&self, bytes: &[u8]) -> Vec<u8> {
        let map = &self.output;
        let mut planes = Vec::with_capacity(map.channels * map.height * map.width);
        for channel in 0..map.channels {
            for row in map.rows(bytes) {
                let pixels = row.chunks_exact(map.pixel_bytes());
                planes.extend(pixels.map(|pixel| {
                    let element = pixel.chunks_exact(map.form.element_bytes()).nth(channel);
                    map.byte(element.unwrap_or_default())
                }));
            }
        }
        planes
    }
}
