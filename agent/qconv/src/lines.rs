//! Bytes that begin where a cache line begins, so that a vector load never straddles two.

const LINE_BYTES: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE_BYTES]);

/// A block of memory, zeros at first.
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    pub(crate) fn zeroed(size_bytes: usize) -> Self {
        Self(vec![Line([0; LINE_BYTES]); size_bytes.div_ceil(LINE_BYTES)])
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.0.len() * LINE_BYTES
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: a `Line` is 64 bytes without padding, and bytes have no alignment.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.size_bytes()) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; every byte is a valid part of a `Line`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.size_bytes()) }
    }
}
