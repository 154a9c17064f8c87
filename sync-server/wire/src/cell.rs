//! A cell of a CSV table, as trap and server write it: the tables are opened in
//! spreadsheets, and text that somebody else wrote must not run there.

/// The text, with an apostrophe before it where a spreadsheet would run it as a
/// formula. Blanks before the sign do not hide it, and a plain number is none.
#[must_use]
pub fn guarded(text: &str) -> String {
    let starts_formula = text
        .trim_start_matches(' ')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if starts_formula && !is_negative_number(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Digits after a minus; `-inf` is a name to a spreadsheet.
fn is_negative_number(text: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.starts_with('-') && text.chars().all(is_of_number) && text.parse::<f64>().is_ok()
}
