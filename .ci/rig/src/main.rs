//! The world that an emulated trap measures.
//!
//! One program on the desk, beside QEMU: it plays an I²C bus to the guest's own kernel (`vhost.rs`), with the chips
//! that a trap may carry on it (`chips.rs`), each as its datasheet has it as far as a driver can tell. A line on its
//! control socket changes the weather or breaks something (`control.rs`), and asks what the display shows.
//!
//! What it does not play: electricity. There is no clock stretching, no noise on the wires, no half a byte; a chip
//! answers or it does not, rightly, wrongly or late.
#![expect(
    clippy::disallowed_methods,
    reason = "a tool of the workbench: real time, and nothing that must survive a power cut"
)]

mod bus;
mod chip;
mod chips;
mod control;
mod letters;
mod picture;
mod vhost;
mod world;

use anyhow::Result;
use bus::Bus;
use clap::Parser;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

#[derive(Parser)]
#[command(about = "Plays an I²C bus with a trap's chips to an emulated machine")]
struct Words {
    /// Where QEMU finds the bus (`-chardev socket,path=…`).
    #[arg(long, value_name = "SOCKET")]
    bus: PathBuf,
    /// Where lines change the world; `help` lists them.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,
}

fn main() -> Result<()> {
    let words = Words::parse();
    let bus = Arc::new(Mutex::new(Bus::with_all_chips()));
    let listener = control::listen(&words.control)?;
    let answered = Arc::clone(&bus);
    std::thread::spawn(move || control::answer(&listener, &answered));
    vhost::serve(&words.bus, &bus)
}
