//! Where on a panel what stands, and in which letters.
//!
//! Of the fonts that a place may have, the largest in which the words fit is
//! taken; the smallest holds the longest words that `pages.rs` can make.

use super::pages::{Body, Sheet};
use super::{enrol, figure};
use embedded_graphics::mono_font::iso_8859_1::{
    FONT_6X10, FONT_6X12, FONT_6X13, FONT_7X13, FONT_7X13_BOLD, FONT_8X13, FONT_8X13_BOLD,
    FONT_9X15, FONT_9X18_BOLD, FONT_10X20,
};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use trapline_hal::{Canvas, PanelSize};

/// How much a panel holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Lines below a figure.
    pub(super) lines_max: usize,
    /// Characters in a row of running words.
    pub(super) row_chars: usize,
    /// Rows of running words, with the title.
    pub(super) rows_max: usize,
    /// Whether running words have a title.
    pub(super) titled: bool,
}

impl Shape {
    pub(super) fn of(size: PanelSize) -> Self {
        let (lines_max, row_chars, rows_max, titled) = match size {
            PanelSize::Oled128x64 => (2, 18, 4, true),
            PanelSize::Oled128x32 => (1, 18, 2, false),
            PanelSize::Paper296x128 => (3, 29, 4, true),
        };
        Self {
            lines_max,
            row_chars,
            rows_max,
            titled,
        }
    }
}

/// Words at a place.
pub(super) struct Row<'a> {
    pub(super) words: &'a str,
    pub(super) font: &'a MonoFont<'static>,
    pub(super) at: Point,
}

/// Letters of a figure, how often they are doubled, and where their top is:
/// the fonts have empty rows above their digits.
struct Figure {
    font: &'static MonoFont<'static>,
    doublings: u32,
    top: i32,
}

/// Letters and places of one size of panel.
struct Style {
    /// Of the figure: letters, how often they are doubled, and their top.
    figures: &'static [Figure],
    /// Between the figure and what stands beside it.
    gap: u32,
    beside: &'static [&'static MonoFont<'static>],
    beside_y: [i32; 2],
    lines: &'static [&'static MonoFont<'static>],
    lines_y: i32,
    lines_pitch: i32,
    rows: &'static MonoFont<'static>,
    title: &'static MonoFont<'static>,
    rows_pitch: i32,
}

const OLED_128X64: Style = Style {
    figures: &[
        Figure {
            font: &FONT_9X18_BOLD,
            doublings: 1,
            top: -3,
        },
        Figure {
            font: &FONT_8X13_BOLD,
            doublings: 1,
            top: 2,
        },
    ],
    gap: 5,
    beside: &[&FONT_8X13, &FONT_7X13, &FONT_6X12],
    beside_y: [1, 15],
    lines: &[&FONT_8X13, &FONT_7X13, &FONT_6X13],
    lines_y: 34,
    lines_pitch: 16,
    rows: &FONT_7X13,
    title: &FONT_7X13_BOLD,
    rows_pitch: 16,
};

const OLED_128X32: Style = Style {
    figures: &[Figure {
        font: &FONT_10X20,
        doublings: 0,
        top: -1,
    }],
    gap: 8,
    beside: &[&FONT_6X10],
    beside_y: [0, 9],
    lines: &[&FONT_7X13, &FONT_6X13],
    lines_y: 19,
    lines_pitch: 13,
    rows: &FONT_7X13,
    title: &FONT_7X13_BOLD,
    rows_pitch: 16,
};

const PAPER_296X128: Style = Style {
    figures: &[Figure {
        font: &FONT_8X13_BOLD,
        doublings: 2,
        top: -1,
    }],
    gap: 12,
    beside: &[&FONT_10X20],
    beside_y: [3, 27],
    lines: &[&FONT_10X20],
    lines_y: 56,
    lines_pitch: 24,
    rows: &FONT_10X20,
    title: &FONT_10X20,
    rows_pitch: 32,
};

fn style(size: PanelSize) -> &'static Style {
    match size {
        PanelSize::Oled128x64 => &OLED_128X64,
        PanelSize::Oled128x32 => &OLED_128X32,
        PanelSize::Paper296x128 => &PAPER_296X128,
    }
}

/// The largest letters of a panel that are not doubled.
pub(super) fn largest(size: PanelSize) -> &'static MonoFont<'static> {
    match size {
        PanelSize::Oled128x64 => &FONT_9X15,
        PanelSize::Oled128x32 | PanelSize::Paper296x128 => &FONT_10X20,
    }
}

/// Draws a sheet for a panel of `size`.
#[must_use]
pub fn draw(sheet: &Sheet, size: PanelSize) -> Canvas {
    let mut canvas = Canvas::new(size);
    match &sheet.body {
        Body::Figure {
            figure,
            beside,
            lines,
        } => draw_figure(&mut canvas, figure, beside, lines),
        Body::Text {
            title,
            sheet_of,
            rows,
        } => draw_text(&mut canvas, title.as_deref(), *sheet_of, rows),
        Body::Scan { scan, rows } => enrol::draw(&mut canvas, scan, rows),
    }
    canvas
}

fn draw_figure(canvas: &mut Canvas, figure: &str, beside: &[String; 2], lines: &[String]) {
    let style = style(canvas.panel_size());
    let width = canvas.panel_size().width();
    let left_of =
        |letters: &Figure| figure::width(figure, letters.font, letters.doublings) + style.gap;
    let room = |letters: &Figure| width.saturating_sub(left_of(letters));
    let holds = |letters: &&Figure| {
        let smallest = style.beside.last();
        smallest.is_some_and(|font| fits(font, room(letters), beside))
    };
    let letters = style.figures.iter().find(holds).or(style.figures.last());
    let Some(letters) = letters else { return };
    let at = Point::new(0, letters.top);
    figure::draw(canvas, figure, letters.font, letters.doublings, at);

    let font = fitting(style.beside, room(letters), beside);
    let left = i32::try_from(left_of(letters)).unwrap_or(i32::MAX);
    for (words, y) in beside.iter().zip(style.beside_y) {
        let at = Point::new(left, y);
        write(canvas, &Row { words, font, at });
    }

    let font = fitting(style.lines, width, lines);
    let tops = (0..).map(|line| style.lines_y + line * style.lines_pitch);
    for (words, y) in lines.iter().zip(tops) {
        let at = Point::new(0, y);
        write(canvas, &Row { words, font, at });
    }
}

fn draw_text(canvas: &mut Canvas, title: Option<&str>, sheet_of: (usize, usize), rows: &[String]) {
    let style = style(canvas.panel_size());
    let mut top = 0;
    if let Some(title) = title {
        draw_title(canvas, title, sheet_of);
        top = style.rows_pitch;
    }
    let font = style.rows;
    let space = style.rows_pitch - i32::try_from(font.character_size.height).unwrap_or(0);
    let tops = (0..).map(|row| top + row * style.rows_pitch + space / 2);
    for (words, y) in rows.iter().zip(tops) {
        let at = Point::new(0, y);
        write(canvas, &Row { words, font, at });
    }
}

/// The title in a bar of ink, with the number of the sheet at its end.
fn draw_title(canvas: &mut Canvas, title: &str, (sheet, of): (usize, usize)) {
    let style = style(canvas.panel_size());
    let font = style.title;
    let width = canvas.panel_size().width();
    let height = font.character_size.height + 1;
    let bar = Rectangle::new(Point::zero(), Size::new(width, height));
    let Ok(()) = bar
        .into_styled(PrimitiveStyle::with_fill(BinaryColor::On))
        .draw(canvas);
    let letters = MonoTextStyle::new(font, BinaryColor::Off);
    let Ok(_) = Text::with_baseline(title, Point::new(2, 1), letters, Baseline::Top).draw(canvas);
    if of > 1 {
        let number = format!("{sheet}/{of}");
        let right = width.saturating_sub(row_width(&number, font) + 2);
        let at = Point::new(i32::try_from(right).unwrap_or(0), 1);
        let Ok(_) = Text::with_baseline(&number, at, letters, Baseline::Top).draw(canvas);
    }
}

/// The first font in which all of `words` fit into `room`, or the last.
fn fitting(
    fonts: &[&'static MonoFont<'static>],
    room: u32,
    words: &[String],
) -> &'static MonoFont<'static> {
    let fitting = fonts.iter().find(|font| fits(font, room, words));
    fitting.or(fonts.last()).copied().unwrap_or(&FONT_6X10)
}

fn fits(font: &MonoFont<'_>, room: u32, words: &[String]) -> bool {
    words.iter().all(|words| row_width(words, font) <= room)
}

fn row_width(words: &str, font: &MonoFont<'_>) -> u32 {
    let letters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
    letters.saturating_mul(font.character_size.width)
}

/// Writes a row.
pub(super) fn write(canvas: &mut Canvas, row: &Row<'_>) {
    let letters = MonoTextStyle::new(row.font, BinaryColor::On);
    let Ok(_) = Text::with_baseline(row.words, row.at, letters, Baseline::Top).draw(canvas);
}
