//! Writes what the little display shows as pictures for the field guide:
//! `cargo run -p trapline-agent --example panel_pictures`.
//!
//! The facts are those of an invented trap; the pages are the trap's own.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use trapline_agent::screen::{
    self, Battery, Check, Doing, Facts, Insects, Invitation, LastDay, NextPicture, Page, Problem,
    Queue, SdCard, SheetId, TimeOfDay, Today, Verdict,
};
use trapline_hal::{Canvas, PanelSize};

/// So many pixels of a picture are one of the panel, in each direction.
const SCALE: u32 = 4;
/// Of the panel, around it.
const MARGIN: u32 = 4;
const SHINES: [u8; 3] = [0x9f, 0xdc, 0xff];
const GLASS: [u8; 3] = [0x0b, 0x0d, 0x12];
const INK: [u8; 3] = [0x22, 0x22, 0x22];
const PAPER: [u8; 3] = [0xec, 0xec, 0xe6];

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/img");
    let facts = facts();
    for (size, name) in [
        (PanelSize::Oled128x64, "oled"),
        (PanelSize::Oled128x32, "flat"),
        (PanelSize::Paper296x128, "paper"),
    ] {
        for sheet in screen::sheets(&facts, size) {
            let file = folder.join(format!("panel-{name}-{}.png", file_name(&sheet.id)));
            write(&screen::draw(&sheet, size), &file)?;
        }
        for (check, what) in checks() {
            let facts = Facts {
                check: Some(check),
                ..Facts::default()
            };
            let sheets = screen::sheets(&facts, size).into_iter();
            for sheet in sheets.filter(|sheet| sheet.id.page == Page::Check) {
                let number = after_the_first(sheet.id.number);
                let file = folder.join(format!("panel-{name}-check-{what}{number}.png"));
                write(&screen::draw(&sheet, size), &file)?;
            }
        }
    }
    Ok(())
}

fn facts() -> Facts {
    Facts {
        trap: "upper meadow".to_owned(),
        doing: Doing::Waiting,
        next: Some(NextPicture {
            in_minutes: 7,
            at: Some(TimeOfDay {
                hour: 22,
                minute: 15,
            }),
        }),
        today: Today {
            pictures: 212,
            insects: Some(Insects {
                counted: 34,
                low: 31,
                high: 38,
            }),
            missed: 3,
        },
        queue: Queue {
            pictures: 1_240,
            records: 96,
            last_sync_minutes: Some(37 * 60),
        },
        battery: Some(Battery {
            percent: 78,
            hours_left: Some(6 * 24),
        }),
        sd_card: SdCard {
            free_bytes: 12_400_000_000,
            hours_left: Some(41 * 24),
        },
        last_day: Some(LastDay { month: 6, day: 27 }),
        check: None,
        problems: vec![Problem {
            part: "climate".to_owned(),
            words: "SHT3x at I²C address 0x44 does not answer; check its plug and its four wires"
                .to_owned(),
        }],
        invitation: Some(Invitation {
            what: "enrol".to_owned(),
            scan: "HTTPS://TRAPS.EXAMPLE.ORG/E/K7QF-2M9P".to_owned(),
            address: "traps.example.org".to_owned(),
            code: "K7QF-2M9P".to_owned(),
        }),
    }
}

/// A check that runs, and each of its verdicts.
fn checks() -> Vec<(Check, &'static str)> {
    let found = |part: &str, words: &str| Problem {
        part: part.to_owned(),
        words: words.to_owned(),
    };
    let blurred = found(
        "sharpness",
        "0.41, the best of this trap is 0.83; wipe the lens and check the focus",
    );
    let dark = found(
        "lamp",
        "it makes the picture no brighter; check its wires and its fuse",
    );
    let over = |verdict, found| Check::Over { verdict, found };
    let running = Check::Running {
        done: 3,
        of: 11,
        part: "camera".to_owned(),
    };
    vec![
        (running, "runs"),
        (over(Verdict::Ready, Vec::new()), "ready"),
        (over(Verdict::Care, vec![blurred.clone()]), "care"),
        (over(Verdict::NotReady, vec![dark, blurred]), "not-ready"),
    ]
}

fn file_name(id: &SheetId) -> String {
    let page = match &id.page {
        Page::Check => "check",
        Page::Problem(_) => "problem",
        Page::State => "state",
        Page::Today => "today",
        Page::Queue => "queue",
        Page::Lasts => "lasts",
        Page::Invitation => "invitation",
    };
    format!("{page}{}", after_the_first(id.number))
}

fn after_the_first(number: usize) -> String {
    match number {
        0 => String::new(),
        later => format!("-{}", later + 1),
    }
}

/// Writes the picture enlarged, in two colours.
fn write(canvas: &Canvas, file: &PathBuf) -> Result<()> {
    let size = canvas.panel_size();
    let (width, height) = (size.width() + 2 * MARGIN, size.height() + 2 * MARGIN);
    let to = File::create(file).with_context(|| format!("cannot create {}", file.display()))?;
    let mut png = png::Encoder::new(BufWriter::new(to), width * SCALE, height * SCALE);
    png.set_color(png::ColorType::Indexed);
    png.set_depth(png::BitDepth::One);
    let [ground, ink] = if size.ink_shines() {
        [GLASS, SHINES]
    } else {
        [PAPER, INK]
    };
    png.set_palette([ground, ink].concat());
    let rows = (0..height).flat_map(|y| {
        let row = row(canvas, y, width);
        std::iter::repeat_n(row, SCALE as usize).flatten()
    });
    let rows: Vec<u8> = rows.collect();
    let mut writer = png.write_header()?;
    writer.write_image_data(&rows)?;
    writer.finish()?;
    Ok(())
}

/// One row of pixels, eight enlarged ones to a byte.
fn row(canvas: &Canvas, y: u32, width: u32) -> Vec<u8> {
    let ink = |x: u32| match (x.checked_sub(MARGIN), y.checked_sub(MARGIN)) {
        (Some(x), Some(y)) => canvas.is_ink(x, y),
        _ => false,
    };
    let nibble = |x: u32| if ink(x) { 0x0f } else { 0x00 };
    (0..width / 2)
        .map(|pair| nibble(pair * 2) << 4 | nibble(pair * 2 + 1))
        .collect()
}
