//! A feature map in memory: rows of pixels, the channels of a pixel side by side, a border around them.

use crate::kernel::{Form, SLACK_BYTES};

/// Channels are padded to whole groups, which is what one step of a kernel reads; weights there are zero.
const GROUP: usize = 4;

/// Where each value of a map lies. Values themselves live in the chain's buffers.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) form: Form,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Pixels above, left, below and right.
    pub(crate) border: [usize; 4],
}

impl Map {
    pub(crate) fn pixel_bytes(&self) -> usize {
        self.channels.next_multiple_of(GROUP) * self.form.element_bytes()
    }

    pub(crate) fn row_bytes(&self) -> usize {
        (self.border[1] + self.width + self.border[3]) * self.pixel_bytes()
    }

    /// Of row 0, column 0, behind the border.
    pub(crate) fn origin(&self) -> usize {
        self.border[0] * self.row_bytes() + self.border[1] * self.pixel_bytes()
    }

    pub(crate) fn size_bytes(&self) -> usize {
        (self.border[0] + self.height + self.border[2]) * self.row_bytes() + SLACK_BYTES
    }

    /// Writes `zero` into the border, in the map's form.
    pub(crate) fn fill_border(&self, bytes: &mut [u8], zero: u8) {
        let (row, pixel) = (self.row_bytes(), self.pixel_bytes());
        let (above, below) = (self.border[0], self.border[2]);
        for (y, line) in bytes
            .chunks_exact_mut(row.max(1))
            .take(above + self.height + below)
            .enumerate()
        {
            if y < above || y >= above + self.height {
                self.fill(line, zero);
            } else {
                let (left, rest) = line.split_at_mut(self.border[1] * pixel);
                self.fill(left, zero);
                if let Some(right) = rest.get_mut(self.width * pixel..) {
                    self.fill(right, zero);
                }
            }
        }
    }

    fn fill(&self, bytes: &mut [u8], zero: u8) {
        match self.form {
            Form::Unsigned => bytes.fill(zero),
            Form::Signed => bytes.fill(zero ^ 0x80),
            Form::Wide => {
                for element in bytes.chunks_exact_mut(2) {
                    element.copy_from_slice(&u16::from(zero).to_le_bytes());
                }
            }
        }
    }

    /// The rows of the map without the border.
    pub(crate) fn rows<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let (left, inner) = (
            self.border[1] * self.pixel_bytes(),
            self.width * self.pixel_bytes(),
        );
        bytes
            .chunks_exact(self.row_bytes().max(1))
            .skip(self.border[0])
            .take(self.height)
            .filter_map(move |line| line.get(left..left + inner))
    }

    /// The same, to be written.
    pub(crate) fn rows_mut<'a>(&self, bytes: &'a mut [u8]) -> impl Iterator<Item = &'a mut [u8]> {
        let (left, inner) = (
            self.border[1] * self.pixel_bytes(),
            self.width * self.pixel_bytes(),
        );
        bytes
            .chunks_exact_mut(self.row_bytes().max(1))
            .skip(self.border[0])
            .take(self.height)
            .filter_map(move |line| line.get_mut(left..left + inner))
    }

    /// The byte that an element stands for.
    pub(crate) fn byte(&self, element: &[u8]) -> u8 {
        let stored = element.first().copied().unwrap_or(0);
        match self.form {
            Form::Signed => stored ^ 0x80,
            Form::Unsigned | Form::Wide => stored,
        }
    }

    /// Stores a byte as an element.
    pub(crate) fn store(&self, element: &mut [u8], byte: u8) {
        if let Some(first) = element.first_mut() {
            *first = match self.form {
                Form::Signed => byte ^ 0x80,
                Form::Unsigned | Form::Wide => byte,
            };
        }
        if let Some(second) = element.get_mut(1) {
            *second = 0;
        }
    }
}
