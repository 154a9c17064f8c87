//! What a person did when a parser says "invalid basic string": the mistakes
//! that phones, word processors and decimal commas make, named with a remedy.

use super::CardProblem;
use super::reader::place;

/// Quotation marks that editors put in for straight ones.
const CURLED: &str = "“”„‟«»‘’‚′″";

/// The problem for a parser's error at byte `at` of `text`.
pub(super) fn of_toml(text: &str, at: usize, message: &str) -> CardProblem {
    let (line, column) = place(text, at);
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let (said, remedy) = of_line(written, message);
    let column = said.column.unwrap_or(column);
    CardProblem {
        line: Some(line),
        column: Some(column),
        message: said.message,
        remedy,
    }
}

struct Said {
    message: String,
    column: Option<usize>,
}

fn said(message: impl Into<String>) -> Said {
    Said {
        message: message.into(),
        column: None,
    }
}

fn of_line(written: &str, message: &str) -> (Said, String) {
    let value = written.split_once('=').map(|(_, value)| value.trim());
    if let Some(index) = written.chars().position(|letter| CURLED.contains(letter)) {
        let curled = written.chars().nth(index).unwrap_or('“');
        let said = Said {
            message: format!("there is a curled quotation mark {curled} in this line"),
            column: Some(index + 1),
        };
        let remedy =
            "write straight quotes \"like this\"; on a phone, switch off smart punctuation";
        return (said, remedy.to_owned());
    }
    if let Some(index) = written
        .chars()
        .position(|letter| "\u{a0}\u{202f}\u{200b}\u{feff}".contains(letter))
    {
        let said = Said {
            message: "there is an invisible letter in this line that looks like a space".to_owned(),
            column: Some(index + 1),
        };
        return (
            said,
            "delete the line and type it anew instead of pasting it".to_owned(),
        );
    }
    if message.contains("duplicate") {
        let remedy = "keep one of the two; each section stands once, but [[wifi]], with two brackets, as often as there are networks";
        return (
            said("this stands here for the second time"),
            remedy.to_owned(),
        );
    }
    match value {
        None if !written.trim_start().starts_with('[') => {
            let remedy = "a setting looks like `name = \"orchard-3\"`; a remark begins with #";
            return (
                said("this is neither a setting nor a remark"),
                remedy.to_owned(),
            );
        }
        Some("") => {
            let remedy = "write the value, or # before the line";
            return (said("there is nothing after the ="), remedy.to_owned());
        }
        Some(value) => {
            if let Some(found) = of_value(value) {
                return found;
            }
        }
        None => {}
    }
    let remedy = "compare with the lines around it; texts stand between \"straight quotes\"";
    (
        said(format!("this line cannot be understood ({message})")),
        remedy.to_owned(),
    )
}

fn of_value(value: &str) -> Option<(Said, String)> {
    let is_number_with_comma = value
        .chars()
        .all(|c| c.is_ascii_digit() || ",-+. ".contains(c))
        && value.contains(',');
    if is_number_with_comma {
        let remedy = format!("write a point: {}", value.replace(',', "."));
        return Some((said("there is a comma in this number"), remedy));
    }
    if value.starts_with('"') && value.contains('\\') {
        let remedy = "write the text between 'single quotes', where \\ is just \\";
        return Some((
            said("a \\ between \" has a special meaning"),
            remedy.to_owned(),
        ));
    }
    let quotes = value.matches('"').count();
    if value.starts_with('"') && quotes == 1 {
        return Some((
            said("the closing \" is missing"),
            "write it at the end of the text".to_owned(),
        ));
    }
    if value.starts_with('"') && quotes > 2 {
        let remedy = "write the whole text between 'single quotes'";
        return Some((said("there is a \" inside the text"), remedy.to_owned()));
    }
    if value.starts_with(|c: char| c.is_alphabetic()) && !["true", "false"].contains(&value) {
        let remedy = "write the text between \"straight quotes\"";
        return Some((
            said("the quotes around the text are missing"),
            remedy.to_owned(),
        ));
    }
    None
}
