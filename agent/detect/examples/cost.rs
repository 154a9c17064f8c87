//! What a picture costs: `cost [FILE.jpg]` prints the resident memory after each step, for `/usr/bin/time` to time.
//!
//! The steps are: program start, model loaded, picture decoded, everything looked at, and the same picture looked at
//! again with the memory of the first look.

use std::io::Write;
use std::process::ExitCode;

use trapline_detect::{Detector, Limits, LookSettings, jpeg};

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn measure() -> Result<(), Error> {
    let mut out = std::io::stdout();
    let mut say = |step: &str| -> Result<(), Error> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let memory: Vec<&str> = status
            .lines()
            .filter(|line| {
                line.starts_with("VmRSS") || line.starts_with("VmHWM") || line.starts_with("Rss")
            })
            .collect();
        Ok(writeln!(out, "{step}: {}", memory.join(", "))?)
    };
    say("started")?;
    let detector = Detector::embedded()?;
    say("model loaded")?;
    if let Some(path) = std::env::args().nth(1) {
        let picture = jpeg::decode(&std::fs::read(path)?, &Limits::default())?;
        say("picture decoded")?;
        let settings = LookSettings::default();
        let (look, memory) = detector.look(&picture, None, &settings, &mut |_| true)?;
        say(&format!("{} boxes found", look.detections.len()))?;
        let (again, _) = detector.look(&picture, Some(memory), &settings, &mut |_| true)?;
        say(&format!("looked again, {} tiles run", again.tiles_run))?;
    }
    Ok(())
}
