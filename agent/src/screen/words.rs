//! Numbers and sentences in a form that fits.

/// A number in at most four characters; the rest of it does not matter at arm's length.
pub(super) fn short(number: u64) -> String {
    const STEPS: [(u64, char); 4] = [
        (1_000, 'k'),
        (1_000_000, 'M'),
        (1_000_000_000, 'G'),
        (1_000_000_000_000, 'T'),
    ];
    if number < 10_000 {
        return number.to_string();
    }
    let fits = STEPS.iter().find(|(step, _)| number / step < 1_000);
    match fits {
        Some((step, letter)) => format!("{}{letter}", number / step),
        None => "many".to_owned(),
    }
}

/// A number of things: `1 picture`, `12 pictures`.
pub(super) fn things(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", short(number)),
    }
}

/// A span of time in the largest unit that leaves two or more of it.
pub(super) fn span(minutes: u64) -> (u64, &'static str) {
    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;
    match minutes {
        1 => (1, "minute"),
        0..120 => (minutes, "minutes"),
        120..2_880 => (minutes / HOUR, "hours"),
        _ => (minutes / DAY, "days"),
    }
}

/// The same in a few characters: `12 min`, `37 h`, `9 days`.
pub(super) fn short_span(minutes: u64) -> String {
    let (number, unit) = span(minutes);
    let unit = match unit {
        "hours" => "h",
        "days" if number < 100 => "days",
        "days" => "d",
        _ => "min",
    };
    format!("{} {unit}", short(number))
}

/// Bytes as `12 GB`, rounded down.
pub(super) fn bytes(bytes: u64) -> String {
    const STEPS: [(u64, &str); 3] = [
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (1_000_000_000_000, "TB"),
    ];
    let fits = STEPS.iter().find(|(step, _)| bytes / step < 1_000);
    match fits {
        Some((step, unit)) => format!("{} {unit}", bytes / step),
        None => "much".to_owned(),
    }
}

/// The name of a month in three letters.
pub(super) fn month(number: u8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let index = usize::from(number.clamp(1, 12)) - 1;
    MONTHS.get(index).copied().unwrap_or("Jan")
}

/// Only what the fonts have, which is ISO 8859-1; white space becomes one blank.
pub(super) fn printable(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().map(in_font).collect())
        .collect();
    words.join(" ")
}

fn in_font(character: char) -> char {
    match character {
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '–' | '—' | '−' => '-',
        ' '..='~' | '\u{a1}'..='\u{ff}' => character,
        _ => '?',
    }
}

/// Rows of at most `row_chars` characters, broken between words, and within a
/// word only where it is longer than a row.
pub(super) fn wrapped(text: &str, row_chars: usize) -> Vec<String> {
    let row_chars = row_chars.max(1);
    let text = printable(text);
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let word: Vec<char> = word.chars().collect();
        let mut pieces = word.chunks(row_chars).map(String::from_iter);
        let Some(first) = pieces.next() else { continue };
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + first.chars().count() <= row_chars => {
                row.push(' ');
                row.push_str(&first);
            }
            _ => rows.push(first),
        }
        rows.extend(pieces);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let said = [0, 9_999, 10_000, 999_999, 1_000_000, u64::MAX].map(short);
        assert_eq!(said, ["0", "9999", "10k", "999k", "1M", "many"]);
        assert_eq!(things(1, "picture"), "1 picture");
        assert_eq!(things(0, "picture"), "0 pictures");
        let said = [0, 1, 119, 120, 2_879].map(short_span);
        assert_eq!(said, ["0 min", "1 min", "119 min", "2 h", "47 h"]);
        assert_eq!([2_880, 144_000].map(short_span), ["2 days", "100 d"]);
        let said = [0, 999_999_999, 12_345_678_901, u64::MAX].map(bytes);
        assert_eq!(said, ["0 MB", "999 MB", "12 GB", "much"]);
        assert_eq!([0, 1, 12, 13].map(month), ["Jan", "Jan", "Dec", "Dec"]);
    }

    #[test]
    fn rows_break_between_words() {
        assert_eq!(
            wrapped("check its plug\nand  its four wires", 14),
            ["check its plug", "and its four", "wires"]
        );
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("ab cdefgh", 4), ["ab", "cdef", "gh"]);
        assert_eq!(wrapped("", 4), Vec::<String>::new());
        assert_eq!(printable("I²C at −5 °C – “蛾”"), "I²C at -5 °C - \"?\"");
    }
}
