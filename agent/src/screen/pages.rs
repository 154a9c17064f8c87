//! What stands on which page, in words.

use super::enrol;
use super::facts::{
    Battery, Check, Doing, Facts, Invitation, NextPicture, Problem, Queue, Today, Verdict,
};
use super::layout::Shape;
use super::words::{bytes, month, printable, short, short_span, span, things, wrapped};
use trapline_hal::PanelSize;

/// A subject; a long one takes several sheets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// A check of the whole trap.
    Check,
    /// Something that is wrong, by its part.
    Problem(String),
    /// What the trap does, and when its next picture is due.
    State,
    /// Insects, pictures and what was missed today.
    Today,
    /// What waits for the server.
    Queue,
    /// How long battery and SD card last.
    Lasts,
    /// What to scan.
    Invitation,
}

/// One sheet of one page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SheetId {
    /// The page.
    pub page: Page,
    /// Which of its sheets, from 0.
    pub number: usize,
}

/// What fills a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Which it is.
    pub id: SheetId,
    /// What stands on it.
    pub body: Body,
}

/// What stands on a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A large figure, what it counts, and a few lines.
    Figure {
        /// At most six characters.
        figure: String,
        /// What it counts, in two short lines beside it.
        beside: [String; 2],
        /// Below it.
        lines: Vec<String>,
    },
    /// Words under a title.
    Text {
        /// On panels that have room for one.
        title: Option<String>,
        /// Which sheet of how many, from 1.
        sheet_of: (usize, usize),
        /// Already broken into rows.
        rows: Vec<String>,
    },
    /// A QR code, with words beside it.
    Scan {
        /// What the code says.
        scan: String,
        /// Beside it, in as large letters as fit; already broken into rows.
        rows: Vec<String>,
    },
}

/// All sheets in the order in which the button shows them, a check and problems first.
#[must_use]
pub fn sheets(facts: &Facts, size: PanelSize) -> Vec<Sheet> {
    let shape = Shape::of(size);
    let mut sheets = Vec::new();
    if let Some(check) = &facts.check {
        sheets.extend(checked(check, shape));
    }
    for (earlier, problem) in facts.problems.iter().enumerate() {
        let earlier = facts.problems.get(..earlier).unwrap_or_default();
        let page = Page::Problem(name_of(problem, earlier));
        sheets.extend(remedied(&page, problem, shape));
    }
    let (figure, beside, lines) = state(facts, shape);
    sheets.extend(figures(&Page::State, &figure, &beside, &lines, shape));
    let (figure, beside, lines) = today(&facts.today);
    sheets.extend(figures(&Page::Today, &figure, &beside, &lines, shape));
    let (figure, beside, lines) = queue(&facts.queue);
    sheets.extend(figures(&Page::Queue, &figure, &beside, &lines, shape));
    let (figure, beside, lines) = lasts(facts);
    sheets.extend(figures(&Page::Lasts, &figure, &beside, &lines, shape));
    if let Some(invitation) = &facts.invitation {
        sheets.extend(invite(invitation, size));
    }
    sheets
}

/// The part's name, numbered where it has several problems; the words may
/// change from look to look while the problem stays the same.
fn name_of(problem: &Problem, earlier: &[Problem]) -> String {
    let same = earlier.iter().filter(|other| other.part == problem.part);
    match same.count() {
        0 => problem.part.clone(),
        earlier => format!("{} {}", problem.part, earlier + 1),
    }
}

type Figures = (String, [String; 2], Vec<String>);

fn state(facts: &Facts, shape: Shape) -> Figures {
    let (figure, beside) = match facts.next {
        None => ("-".to_owned(), ["no picture", "planned"]),
        Some(NextPicture {
            at: Some(at),
            in_minutes: 0..1_440,
        }) => {
            let time = format!("{:02}:{:02}", at.hour.min(23), at.minute.min(59));
            (time, ["next", "picture"])
        }
        Some(next) => {
            let (number, unit) = span(next.in_minutes.into());
            let beside = match unit {
                "minute" => ["minute to", "picture"],
                "minutes" => ["minutes to", "picture"],
                "hours" => ["hours to", "picture"],
                _ => ["days to", "picture"],
            };
            (short(number), beside)
        }
    };
    let doing = match facts.doing {
        Doing::Starting => "starting",
        Doing::Waiting => "waiting",
        Doing::Shooting => "takes a picture",
        Doing::Looking => "looks for insects",
        Doing::Sending => "sending",
        Doing::Saving => "waits for sun",
        Doing::Stopping => "stopping",
    };
    let problems = match facts.problems.len() {
        0 => "all is well".to_owned(),
        number => things(number.try_into().unwrap_or(u64::MAX), "problem"),
    };
    let trap = printable(&facts.trap);
    let room = shape.lines_max > 2 && (1..=shape.row_chars).contains(&trap.chars().count());
    let lines = [doing.to_owned(), problems];
    let lines = lines.into_iter().chain(room.then_some(trap)).collect();
    (figure, beside.map(str::to_owned), lines)
}

fn today(today: &Today) -> Figures {
    let pictures = format!("{} today", things(today.pictures.into(), "picture"));
    let missed = match today.missed {
        0 => "none missed".to_owned(),
        missed => format!("{} missed", short(missed.into())),
    };
    let lines = vec![pictures, missed];
    let Some(insects) = today.insects else {
        let beside = ["nobody", "looked"].map(str::to_owned);
        return ("?".to_owned(), beside, lines);
    };
    let [low, high] = [insects.low, insects.high].map(|insects| short(insects.into()));
    let bounds = if low == high {
        "today".to_owned()
    } else {
        format!("{low}-{high}")
    };
    let insect = if insects.counted == 1 {
        "insect"
    } else {
        "insects"
    };
    let figure = short(insects.counted.into());
    (figure, [insect.to_owned(), bounds], lines)
}

fn queue(queue: &Queue) -> Figures {
    let synced = match queue.last_sync_minutes {
        None => "never synced".to_owned(),
        Some(0) => "synced just now".to_owned(),
        Some(minutes) => format!("synced {} ago", short_span(minutes)),
    };
    let beside = match queue.pictures {
        1 => ["picture", "to send"],
        _ => ["pictures", "to send"],
    };
    let lines = vec![synced, things(queue.records, "record")];
    (short(queue.pictures), beside.map(str::to_owned), lines)
}

fn lasts(facts: &Facts) -> Figures {
    let sd_card = &facts.sd_card;
    let battery_hours = facts.battery.and_then(|battery| battery.hours_left);
    let limit = [battery_hours, sd_card.hours_left]
        .into_iter()
        .flatten()
        .min();
    let (figure, beside) = match (facts.last_day, limit) {
        (Some(day), Some(_)) => {
            let figure = format!("{} {}", day.day.clamp(1, 31), month(day.month));
            (figure, ["lasts", "until"])
        }
        (None, Some(hours)) => {
            let (number, unit) = span(u64::from(hours) * 60);
            let beside = match unit {
                "hours" => ["hours", "left"],
                "days" => ["days", "left"],
                _ => ["minutes", "left"],
            };
            (short(number), beside)
        }
        (_, None) => ("?".to_owned(), ["how long", "it lasts"]),
    };
    let battery = match facts.battery {
        None => "no battery sensor".to_owned(),
        Some(Battery {
            percent,
            hours_left,
        }) => {
            format!("battery {}%{}", percent.min(100), left(hours_left))
        }
    };
    let room = format!(
        "SD {}{}",
        bytes(sd_card.free_bytes),
        left(sd_card.hours_left)
    );
    let card_first = match (sd_card.hours_left, battery_hours) {
        (Some(card), Some(battery)) => card < battery,
        (card, _) => card.is_some(),
    };
    let lines = if card_first {
        vec![room, battery]
    } else {
        vec![battery, room]
    };
    (figure, beside.map(str::to_owned), lines)
}

/// `, 6 days`, where that is known.
fn left(hours: Option<u32>) -> String {
    let words = hours.map(|hours| format!(", {}", short_span(u64::from(hours) * 60)));
    words.unwrap_or_default()
}

/// How far a check is, or its verdict with what was found on the sheets after it.
fn checked(check: &Check, shape: Shape) -> Vec<Sheet> {
    let (figure, beside, line, found) = match check {
        Check::Running { done, of, part } => {
            let figure = format!("{}/{}", (*done).min(99), (*of).min(99));
            let mut part = printable(part);
            if part.chars().count() > shape.row_chars {
                part.clear();
            }
            (figure, ["check", "runs"], part, &[][..])
        }
        Check::Over { verdict, found } => {
            let (figure, beside) = match verdict {
                Verdict::Ready => ("GO", ["ready", "to leave"]),
                Verdict::Care => ("CARE", ["leave", "with care"]),
                Verdict::NotReady => ("NO", ["not ready", "to leave"]),
            };
            let number = u64::try_from(found.len()).unwrap_or(u64::MAX);
            let line = match number {
                0 => "all is well".to_owned(),
                number => format!("{}: press", things(number, "finding")),
            };
            (figure.to_owned(), beside, line, found.as_slice())
        }
    };
    let page = Page::Check;
    let beside = beside.map(str::to_owned);
    let mut sheets = figures(&page, &figure, &beside, &[line], shape);
    for problem in found {
        sheets.extend(remedied(&page, problem, shape));
    }
    for (number, sheet) in sheets.iter_mut().enumerate() {
        sheet.id.number = number;
    }
    sheets
}

/// The figure with as many lines as have room below it, and again with the rest.
fn figures(
    page: &Page,
    figure: &str,
    beside: &[String; 2],
    lines: &[String],
    shape: Shape,
) -> Vec<Sheet> {
    let chunks = lines.chunks(shape.lines_max.max(1)).enumerate();
    let sheet = |(number, lines): (usize, &[String])| Sheet {
        id: SheetId {
            page: page.clone(),
            number,
        },
        body: Body::Figure {
            figure: figure.to_owned(),
            beside: beside.clone(),
            lines: lines.to_vec(),
        },
    };
    chunks.map(sheet).collect()
}

/// A problem; what to do about it begins a row of its own where that costs no
/// further sheet.
fn remedied(page: &Page, problem: &Problem, shape: Shape) -> Vec<Sheet> {
    let parts: Vec<&str> = problem.words.split_inclusive("; ").collect();
    let whole = text(page, &problem.part, &[&problem.words], shape);
    let parted = text(page, &problem.part, &parts, shape);
    if parted.len() <= whole.len() {
        parted
    } else {
        whole
    }
}

/// Paragraphs under a title, or after it where there is no room for one.
fn text(page: &Page, title: &str, paragraphs: &[&str], shape: Shape) -> Vec<Sheet> {
    let title = printable(title);
    // The title's row also has to hold which sheet it is.
    let titled = shape.titled && title.chars().count() + 6 <= shape.row_chars;
    let before = if titled || title.is_empty() {
        String::new()
    } else {
        format!("{title}: ")
    };
    let befores = std::iter::once(before.as_str()).chain(std::iter::repeat(""));
    let paragraphs = befores.zip(paragraphs);
    let rows: Vec<String> = paragraphs
        .flat_map(|(before, words)| wrapped(&format!("{before}{words}"), shape.row_chars))
        .collect();
    let rows_max = if titled {
        shape.rows_max - 1
    } else {
        shape.rows_max
    };
    under(page, titled.then_some(title), &rows, rows_max)
}

fn under(page: &Page, title: Option<String>, rows: &[String], rows_max: usize) -> Vec<Sheet> {
    let empty = [String::new()];
    let rows = if rows.is_empty() { &empty } else { rows };
    let of = rows.len().div_ceil(rows_max.max(1));
    let chunks = rows.chunks(rows_max.max(1)).enumerate();
    let sheet = |(number, rows): (usize, &[String])| Sheet {
        id: SheetId {
            page: page.clone(),
            number,
        },
        body: Body::Text {
            title: title.clone(),
            sheet_of: (number + 1, of),
            rows: rows.to_vec(),
        },
    };
    chunks.map(sheet).collect()
}

/// The QR code where there is room for one that a phone can read, and the same
/// in words for who has none.
fn invite(invitation: &Invitation, size: PanelSize) -> Vec<Sheet> {
    let page = Page::Invitation;
    let mut sheets = Vec::new();
    if enrol::fits(&invitation.scan, size) {
        let row_chars = enrol::row_chars(size);
        let mut rows = wrapped(&invitation.what, row_chars);
        rows.extend(code_rows(&invitation.code, row_chars));
        let rows = if rows.len() <= enrol::ROWS_MAX {
            rows
        } else {
            Vec::new()
        };
        let body = Body::Scan {
            scan: invitation.scan.clone(),
            rows,
        };
        let id = SheetId {
            page: page.clone(),
            number: 0,
        };
        sheets.push(Sheet { id, body });
    }
    let paragraphs: [&str; 2] = [&invitation.address, &invitation.code];
    let mut words = text(&page, &invitation.what, &paragraphs, Shape::of(size));
    for sheet in &mut words {
        sheet.id.number += sheets.len();
    }
    sheets.extend(words);
    sheets
}

/// A code is broken at its dashes, where people pause.
fn code_rows(code: &str, row_chars: usize) -> Vec<String> {
    let code = printable(code);
    if code.chars().count() <= row_chars {
        return if code.is_empty() {
            Vec::new()
        } else {
            vec![code]
        };
    }
    code.split('-')
        .flat_map(|part| wrapped(part, row_chars))
        .collect()
}
