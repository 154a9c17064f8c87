//! The inside of an Exif block: TIFF directories of tagged values.
//!
//! A block is only ever appended to. Whatever a camera wrote stays at its place,
//! so what points into it, as the notes of its maker do, still points right.

/// The largest block that fits into one segment of a JPEG file.
pub(super) const BLOCK_BYTES_MAX: usize = 65_535 - 2 - 6;
/// More entries than this has no directory of a camera.
const ENTRIES_MAX: usize = 1000;
const HEADER_BYTES: usize = 8;
const ENTRY_BYTES: usize = 12;

/// A whole block with the order of its bytes.
pub(super) struct Block {
    bytes: Vec<u8>,
    is_little: bool,
}

/// One directory, as entries that may point into its block.
#[derive(Default)]
pub(super) struct Directory {
    entries: Vec<Entry>,
    next: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    /// As it stands in the block: the value, or where it is.
    value: [u8; 4],
}

/// A value to be written.
pub(super) enum Value<'a> {
    /// Text, without the zero at its end.
    Text(&'a str),
    /// Bytes whose meaning the tag knows.
    Bytes(&'a [u8]),
    /// Small whole numbers.
    Numbers(&'a [u8]),
    /// Fractions.
    Rationals(&'a [(u32, u32)]),
    /// Where a directory begins.
    Offset(u32),
}

impl Block {
    /// A block that says nothing.
    pub(super) fn empty() -> Self {
        Self {
            bytes: b"II*\0\0\0\0\0".to_vec(),
            is_little: true,
        }
    }

    /// A block of a file; `None` when it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let is_little = match bytes.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        (bytes.len() >= HEADER_BYTES).then(|| Self {
            bytes: bytes.to_vec(),
            is_little,
        })
    }

    /// The bytes, if they fit into a segment.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (self.bytes.len() <= BLOCK_BYTES_MAX).then_some(self.bytes)
    }

    /// The first directory.
    pub(super) fn first(&self) -> Option<Directory> {
        match self.long_at(4)? {
            0 => Some(Directory::default()),
            at => self.directory(at),
        }
    }

    /// The directory at that place; `None` when there is none that makes sense.
    pub(super) fn directory(&self, at: u32) -> Option<Directory> {
        let at = usize::try_from(at).ok()?;
        let count = usize::from(self.short_at(at)?);
        if at < HEADER_BYTES || count > ENTRIES_MAX {
            return None;
        }
        let entry = |place: usize| {
            let at = at + 2 + place * ENTRY_BYTES;
            Some(Entry {
                tag: self.short_at(at)?,
                kind: self.short_at(at + 2)?,
                count: self.long_at(at + 4)?,
                value: self.bytes.get(at + 8..at + 12)?.try_into().ok()?,
            })
        };
        let entries = (0..count).map(entry).collect::<Option<_>>()?;
        // Some writers leave the end out.
        let next = self.long_at(at + 2 + count * ENTRY_BYTES).unwrap_or(0);
        Some(Directory { entries, next })
    }

    /// Writes a directory at the end and says where it begins.
    pub(super) fn append(&mut self, directory: &Directory, next: u32) -> Option<u32> {
        let mut entries = directory.entries.clone();
        entries.sort_by_key(|entry| entry.tag);
        let at = self.even_end()?;
        let count = u16::try_from(entries.len()).ok()?;
        self.bytes.extend(self.short(count));
        for entry in entries {
            self.bytes.extend(self.short(entry.tag));
            self.bytes.extend(self.short(entry.kind));
            self.bytes.extend(self.long(entry.count));
            self.bytes.extend(entry.value);
        }
        self.bytes.extend(self.long(next));
        Some(at)
    }

    /// Makes the directory at that place the first one.
    pub(super) fn begin_at(&mut self, at: u32) {
        let at = self.long(at);
        if let Some(place) = self.bytes.get_mut(4..8) {
            place.copy_from_slice(&at);
        }
    }

    fn put(&mut self, tag: u16, value: &Value<'_>) -> Option<Entry> {
        let (kind, count, bytes): (u16, usize, Vec<u8>) = match value {
            Value::Numbers(numbers) => (1, numbers.len(), numbers.to_vec()),
            Value::Text(text) => {
                let letters = text.bytes().map(|byte| match byte {
                    0x20..=0x7E => byte,
                    _ => b'?',
                });
                let text: Vec<u8> = letters.chain([0]).collect();
                (2, text.len(), text)
            }
            Value::Offset(at) => (4, 1, self.long(*at).to_vec()),
            Value::Rationals(parts) => {
                let parts_bytes = parts
                    .iter()
                    .flat_map(|(above, below)| [self.long(*above), self.long(*below)])
                    .flatten();
                (5, parts.len(), parts_bytes.collect())
            }
            Value::Bytes(bytes) => (7, bytes.len(), bytes.to_vec()),
        };
        let mut value = [0; 4];
        if let Some(place) = value.get_mut(..bytes.len()) {
            place.copy_from_slice(&bytes);
        } else {
            let at = self.even_end()?;
            self.bytes.extend(bytes);
            value = self.long(at);
        }
        Some(Entry {
            tag,
            kind,
            count: u32::try_from(count).ok()?,
            value,
        })
    }

    /// The end, made even as values must begin.
    fn even_end(&mut self) -> Option<u32> {
        if !self.bytes.len().is_multiple_of(2) {
            self.bytes.push(0);
        }
        u32::try_from(self.bytes.len()).ok()
    }

    fn short(&self, number: u16) -> [u8; 2] {
        if self.is_little {
            number.to_le_bytes()
        } else {
            number.to_be_bytes()
        }
    }

    fn long(&self, number: u32) -> [u8; 4] {
        if self.is_little {
            number.to_le_bytes()
        } else {
            number.to_be_bytes()
        }
    }

    fn short_at(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn long_at(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(self.number(bytes))
    }

    fn number(&self, bytes: [u8; 4]) -> u32 {
        if self.is_little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }
    }
}

impl Directory {
    /// Where the directory begins that a tag points to.
    pub(super) fn pointer(&self, block: &Block, tag: u16) -> Option<u32> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        Some(block.number(entry.value))
    }

    /// Where the directory after this one begins, 0 for none.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Takes these tags out.
    pub(super) fn remove(&mut self, tags: &[u16]) {
        self.entries.retain(|entry| !tags.contains(&entry.tag));
    }

    /// Says this, unless something is said already.
    pub(super) fn add(&mut self, block: &mut Block, tag: u16, value: &Value<'_>) {
        if !self.entries.iter().any(|entry| entry.tag == tag) {
            self.entries.extend(block.put(tag, value));
        }
    }

    /// Says this, whatever was said before.
    pub(super) fn set(&mut self, block: &mut Block, tag: u16, value: &Value<'_>) {
        self.remove(&[tag]);
        self.entries.extend(block.put(tag, value));
    }
}
