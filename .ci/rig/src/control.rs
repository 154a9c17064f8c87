//! Lines that change the world: one line in, one line of JSON out.

use crate::bus::Bus;
use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const HELP: &str = "\
set NAME NUMBER      the world: air_c, humidity_pct, pressure_hpa, light_lux, battery_v, battery_a, restless
unplug CHIP          it does not answer any more
plug CHIP            it answers again, as after power-on
nak CHIP TIMES       so many of its next transfers are not acknowledged
damage CHIP TIMES    so many of its next answers have a wrong bit in the last byte
slow CHIP MS         each of its transfers takes so long; 0 is as usual
freeze CHIP          it says the same for ever
thaw CHIP            it measures again
ahead CHIP SECONDS   its clock is so far ahead of the desk's
chips                names and addresses
display              what the display shows, as characters
display words        the words that can be read on it
display png FILE     a picture of it
log                  what went over the bus since this was asked last";

/// Opens the control socket; an old one of the same name goes.
pub(crate) fn listen(path: &Path) -> Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path).with_context(|| format!("cannot open {}", path.display()))
}

/// Answers whoever calls, one after the other.
pub(crate) fn answer(listener: &UnixListener, bus: &Mutex<Bus>) {
    for caller in listener.incoming().flatten() {
        // Somebody who hangs up in the middle of a line has nothing more to say.
        drop(converse(&caller, bus));
    }
}

fn converse(caller: &UnixStream, bus: &Mutex<Bus>) -> Result<()> {
    for line in BufReader::new(caller).lines() {
        let mut bus = bus.lock().unwrap_or_else(PoisonError::into_inner);
        let said = match obey(&line?, &mut bus) {
            Ok(said) => serde_json::json!({ "ok": said }),
            Err(why) => serde_json::json!({ "error": why }),
        };
        drop(bus);
        let mut caller = caller;
        writeln!(caller, "{said}")?;
    }
    Ok(())
}

fn obey(line: &str, bus: &mut Bus) -> Result<String, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = |()| String::new();
    match words.as_slice() {
        ["set", name, value] => bus.world.set(name, number(value)?).map(done),
        ["unplug", chip] => bus.plug(chip, false).map(done),
        ["plug", chip] => bus.plug(chip, true).map(done),
        ["nak", chip, times] => bus.refuse(chip, number(times)?).map(done),
        ["damage", chip, times] => bus.damage(chip, number(times)?).map(done),
        ["slow", chip, ms] => bus.slow(chip, Duration::from_millis(number(ms)?)).map(done),
        ["freeze", chip] => bus.freeze(chip, true).map(done),
        ["thaw", chip] => bus.freeze(chip, false).map(done),
        ["ahead", chip, seconds] => bus.set_clock_ahead(chip, number(seconds)?).map(done),
        ["chips"] => {
            let lines = bus
                .chips()
                .map(|(name, address)| format!("{address:#04x} {name}"));
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
        ["display", rest @ ..] => display(rest, bus),
        ["log"] => Ok(bus.take_log().join("\n")),
        ["help"] => Ok(HELP.to_owned()),
        _ => Err(format!(
            "`{line}` is no line of this socket; `help` lists them"
        )),
    }
}

fn display(words: &[&str], bus: &Bus) -> Result<String, String> {
    let glass = bus.glass().ok_or("no display is plugged in")?;
    match words {
        [] => Ok(glass.to_string()),
        ["words"] => Ok(crate::letters::read(&glass)),
        ["png", file] => {
            let saved = glass.save(Path::new(file));
            saved.map_err(|why| format!("{file}: {why:#}"))?;
            Ok(String::new())
        }
        _ => Err("`display`, `display words` or `display png FILE`".to_owned()),
    }
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse()
        .map_err(|_| format!("`{word}` is no such number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_changes_the_world_or_says_why_not() {
        let mut bus = Bus::with_all_chips();
        assert_eq!(obey("set air_c -12.5", &mut bus), Ok(String::new()));
        assert!((bus.world.air_c + 12.5).abs() < 1e-9);
        assert!(obey("set wind 3", &mut bus).is_err());
        assert!(obey("nak sht31 many", &mut bus).is_err());
        assert!(obey("unplug sht31", &mut bus).is_ok());
        assert!(obey("chips", &mut bus).unwrap().contains("0x3c ssd1306"));
    }
}
