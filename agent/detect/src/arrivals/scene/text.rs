//! Bytes as text, three in four letters, so that a saved tracker stays one JSON document.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Three bytes become four letters; the last one or two become two or three.
pub(super) fn of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | group.get(at).copied().map_or(0, u32::from)
        });
        for place in 0..=group.len() {
            let letter = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            text.extend(LETTERS.get(letter).map(|letter| char::from(*letter)));
        }
    }
    text
}

/// What [`of`] made a text of; `None` for any other text.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = group.get(place).map_or(Some(0), |letter| value(*letter));
            bits = bits << 6 | value?;
        }
        let [_, all @ ..] = bits.to_be_bytes();
        let (known, rest) = all.split_at_checked(group.len() - 1)?;
        if known.is_empty() || rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(known);
    }
    Some(bytes)
}

fn value(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_from_every_place() {
        for length in 0..9 {
            for value in 0..=255_u8 {
                let sent: Vec<u8> = (0..length).map(|at| value.wrapping_mul(at + 1)).collect();
                assert_eq!(bytes(&of(&sent)).as_ref(), Some(&sent));
            }
        }
        assert_eq!(of(b"trap"), "dHJhcA");
    }

    #[test]
    fn other_text_is_refused() {
        for wrong in ["!", "A", "AAAAA", "AB", "dHJh=", "dHJhcB", "é"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
