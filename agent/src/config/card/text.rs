//! From the bytes that some editor wrote to text: UTF-8 with or without its
//! mark, UTF-16 of older Notepads, or the one byte for each letter before that.

use super::{BYTES_MAX, CardProblem};

/// The text, and what was odd about its form.
///
/// # Errors
/// When it is no text at all.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Vec<String>), CardProblem> {
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(CardProblem::of_file(
            format!("the file is longer than {} kilobytes", BYTES_MAX / 1024),
            "this is some other file; write the settings into a fresh copy of trapline.toml",
        ));
    }
    let mut notes = Vec::new();
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8_or_older(rest, &mut notes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8_or_older(bytes, &mut notes),
    };
    let is_text = |text: &String| !text.chars().any(is_junk);
    match text.filter(is_text) {
        // A lone CR is a line end of very old editors, which TOML does not know.
        Some(text) => Ok((text.replace("\r\n", "\n").replace('\r', "\n"), notes)),
        None => Err(CardProblem::of_file(
            "this is no text",
            "save it as plain text (.txt, not .docx or .rtf), or write it again",
        )),
    }
}

fn is_junk(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}

fn utf8_or_older(bytes: &[u8], notes: &mut Vec<String>) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    // Western Windows has these letters at the places of Latin-1; what differs there would be
    // a control character here, and is refused as junk.
    let text: String = bytes.iter().copied().map(char::from).collect();
    let note = "the file is not UTF-8; it was read as Latin-1: look whether umlauts and accents \
                are right in what is listed here";
    notes.push(note.to_owned());
    Some(text)
}

fn utf16(bytes: &[u8], word: fn([u8; 2]) -> u16) -> Option<String> {
    let mut pairs = bytes.chunks_exact(2);
    let words: Option<Vec<u16>> = pairs
        .by_ref()
        .map(|pair| pair.try_into().ok().map(word))
        .collect();
    if !pairs.remainder().is_empty() {
        return None;
    }
    String::from_utf16(&words?).ok()
}
