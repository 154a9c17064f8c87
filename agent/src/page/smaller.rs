//! Pictures as a phone can take them: whole and smaller, or the middle as sharp
//! as it is. A picture in pixels takes far more memory than the agent, so each is
//! made smaller in a process of its own.

use crate::apart::{PAGE_PICTURE, THIS_PROGRAM};
use anyhow::Context as _;
use jpeg_encoder::{ColorType, Encoder};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use trapline_detect::jpeg::{self, Limits, Picture};
use trapline_detect::look::Quality;

/// A larger picture is not decoded for the page.
const PIXELS_MAX: u64 = 48_000_000;
/// What the process may take: some seconds of a slow processor, and the largest picture twice.
const CPU_SECONDS: u64 = 40;
const DATA_BYTES: u64 = 300_000_000;
const FILE_BYTES_MAX: u64 = trapline_wire::limits::PICTURE_BYTES_MAX;
const NICENESS: i32 = 10;
const JPEG_QUALITY: u8 = 80;
/// Side of the middle that is shown in its own pixels, and in which sharpness is measured.
const MIDDLE_PX: u32 = 720;

/// What is wanted of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The whole picture with no side longer than that.
    Whole {
        /// Pixels.
        side_px: u32,
    },
    /// The whole picture or its middle, with what it is worth.
    Focus {
        /// Only the middle, in its own pixels.
        zoom: bool,
        /// Pixels that no side of the whole one is longer than.
        side_px: u32,
    },
    /// Nothing but whether it is a picture, of at most so many pixels.
    Check {
        /// Pixels.
        pixels_max: u64,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// In numbers.
    pub facts: DoneFacts,
    /// The file; empty after a mere check.
    pub jpeg: Vec<u8>,
}

/// The large picture in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DoneFacts {
    /// Its width and height.
    pub of_px: (u32, u32),
    /// What its middle is worth, in its own pixels.
    pub middle: Option<Quality>,
    /// What all of it is worth, as a look measures it.
    pub whole: Option<Quality>,
}

/// Does it here, which takes three bytes of memory for each pixel.
///
/// # Errors
/// Why this is no picture that can be shown, in words for people.
pub fn here(wish: Wish, file: &[u8]) -> Result<Done, String> {
    let pixels_max = match wish {
        Wish::Check { pixels_max } => pixels_max,
        Wish::Whole { .. } | Wish::Focus { .. } => PIXELS_MAX,
    };
    let picture = jpeg::decode(file, &Limits { pixels_max }).map_err(|error| error.to_string())?;
    let mut facts = DoneFacts {
        of_px: (picture.width_px, picture.height_px),
        middle: None,
        whole: None,
    };
    let jpeg = match wish {
        Wish::Check { .. } => Vec::new(),
        Wish::Whole { side_px } => encoded(&shrunk(&picture, side_px))?,
        Wish::Focus { zoom, side_px } => {
            let middle = picture.middle(MIDDLE_PX);
            facts.middle = Some(Quality::in_own_pixels(&middle));
            facts.whole = Some(Quality::of(&picture));
            if zoom {
                encoded(&middle)?
            } else {
                encoded(&shrunk(&picture, side_px))?
            }
        }
    };
    Ok(Done { facts, jpeg })
}

/// Does it in a process of its own, which gives its memory back when it ends and cannot harm
/// the agent, whatever the file does to it.
///
/// # Errors
/// As [`here`], or what became of the process.
pub(super) fn apart(wish: Wish, file: &[u8]) -> Result<Done, String> {
    let failed = |error: std::io::Error| format!("no process for the picture: {error}");
    let order = serde_json::to_string(&wish).map_err(|error| error.to_string())?;
    let mut child = Command::new(THIS_PROGRAM)
        .args([PAGE_PICTURE, &order])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that has ended early says why below.
        let _early = stdin.write_all(file);
    }
    // It has so many seconds of the processor and no more, so this wait ends.
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        let said = said.strip_prefix("trapline-agent: ").unwrap_or(said);
        return Err(match said {
            "" => format!("the picture's process ended: {}", output.status),
            said => said.to_owned(),
        });
    }
    let mut parts = output.stdout.splitn(2, |byte| *byte == b'\n');
    let facts = parts.next().unwrap_or_default();
    let facts = serde_json::from_slice(facts).map_err(|error| error.to_string())?;
    let jpeg = parts.next().unwrap_or_default().to_vec();
    Ok(Done { facts, jpeg })
}

/// The other side of [`apart`]: from standard input to standard output.
///
/// # Errors
/// As [`here`], or when the pipes are closed.
pub fn serve(order: &str, input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    let wish: Wish = serde_json::from_str(order).context("no wish of the page")?;
    // Captures, looks and people go first.
    rustix::process::nice(NICENESS).ok();
    for (resource, most) in [(Resource::Cpu, CPU_SECONDS), (Resource::Data, DATA_BYTES)] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    let mut file = Vec::new();
    input.take(FILE_BYTES_MAX).read_to_end(&mut file)?;
    let done = here(wish, &file).map_err(anyhow::Error::msg)?;
    serde_json::to_writer(&mut output, &done.facts)?;
    output.write_all(b"\n")?;
    output.write_all(&done.jpeg)?;
    Ok(output.flush()?)
}

fn encoded(shown: &Picture) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let side = |px: u32| u16::try_from(px).map_err(|_| "the picture is too large".to_owned());
    Encoder::new(&mut file, JPEG_QUALITY)
        .encode(
            &shown.rgb,
            side(shown.width_px)?,
            side(shown.height_px)?,
            ColorType::Rgb,
        )
        .map_err(|error| error.to_string())?;
    Ok(file)
}

/// Each pixel is the mean of a square of the large picture; what does not fill a square at the
/// right and the bottom is left out.
fn shrunk(picture: &Picture, side_px: u32) -> Picture {
    let longer_px = picture.width_px.max(picture.height_px);
    let factor = longer_px.div_ceil(side_px.max(1)).max(1);
    let width_px = (picture.width_px / factor).max(1);
    let height_px = (picture.height_px / factor).max(1);
    let line_bytes = (picture.width_px as usize * 3).max(1);
    let (columns, step) = (width_px as usize, factor as usize);
    let mut sums = vec![[0_u32; 3]; columns];
    let mut rgb = Vec::with_capacity(columns * height_px as usize * 3);
    for lines in picture
        .rgb
        .chunks(line_bytes * step)
        .take(height_px as usize)
    {
        sums.fill([0; 3]);
        for line in lines.chunks_exact(line_bytes) {
            for (square, sum) in line.chunks(3 * step).zip(&mut sums) {
                for pixel in square.chunks_exact(3) {
                    for (value, sum) in pixel.iter().zip(sum.iter_mut()) {
                        *sum += u32::from(*value);
                    }
                }
            }
        }
        let rows = lines.len() / line_bytes;
        let count = u32::try_from(rows * step.min(picture.width_px as usize)).unwrap_or(1);
        let mean = |sum: &u32| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
        rgb.extend(sums.iter().flat_map(|sum| sum.iter().map(mean)));
    }
    Picture {
        width_px,
        height_px,
        rgb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width_px: u32, height_px: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let rgb = (0..height_px)
            .flat_map(|y| (0..width_px).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y), 10, 200])
            .collect();
        Picture {
            width_px,
            height_px,
            rgb,
        }
    }

    #[test]
    fn a_small_picture_has_the_means_of_the_large_one() {
        let large = picture(10, 7, |x, _| if x < 4 { 100 } else { 50 });
        let small = shrunk(&large, 3);
        assert_eq!((small.width_px, small.height_px), (2, 1));
        assert_eq!(small.rgb, [100, 10, 200, 50, 10, 200]);
        let same = shrunk(&large, 10);
        assert_eq!(same, large);
    }

    #[test]
    fn a_file_becomes_a_smaller_file() {
        let large = picture(600, 300, |x, y| u8::try_from((x ^ y) % 251).unwrap());
        let file = encoded(&large).unwrap();
        let whole = here(Wish::Whole { side_px: 200 }, &file).unwrap();
        assert_eq!(whole.facts.of_px, (600, 300));
        assert_eq!(jpeg::dimensions(&whole.jpeg).unwrap(), (200, 100));
        let zoom = |zoom| here(Wish::Focus { zoom, side_px: 200 }, &file).unwrap();
        assert_eq!(jpeg::dimensions(&zoom(true).jpeg).unwrap(), (600, 300));
        assert_eq!(jpeg::dimensions(&zoom(false).jpeg).unwrap(), (200, 100));
        assert!(zoom(true).facts.middle.unwrap().sharpness > 0.0);
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let large = picture(60, 30, |x, _| u8::try_from(x).unwrap());
        let file = encoded(&large).unwrap();
        let check = |pixels_max, file: &[u8]| here(Wish::Check { pixels_max }, file);
        assert!(check(60 * 30, &file).unwrap().jpeg.is_empty());
        assert!(check(60 * 30 - 1, &file).unwrap_err().contains("limit"));
        assert!(check(1_000_000, &file[..file.len() / 2]).is_err());
        let why = check(1_000_000, b"GIF89a").unwrap_err();
        assert!(why.contains("not a JPEG"), "{why}");
    }
}
