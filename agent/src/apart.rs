//! What runs in a process of its own, because a driver may hang in it or
//! because it has to outlive the agent: a picture of a camera at USB, the guard
//! of a lamp, the darkness after the service ended, and pictures for a phone.

use crate::config::Config;
use trapline_hal::DeviceError;

/// The running program, also after its file was replaced by an update.
pub const THIS_PROGRAM: &str = "/proc/self/exe";
/// The subcommand that takes a picture of a camera at USB.
pub const USB_SHOT: &str = "usb-shot";
/// The subcommand that makes a picture smaller for the technician's page.
pub const PAGE_PICTURE: &str = "page-picture";
/// The subcommand that guards a lamp.
pub const LAMP_GUARD: &str = "lamp-guard";

/// Takes one picture of a camera at USB and writes it to standard output.
///
/// # Errors
/// [`DeviceError`] when nobody reads it, or this program was built without.
#[cfg(feature = "pi")]
pub fn usb_shot(settings: &str) -> Result<(), DeviceError> {
    trapline_hal::pi::camera_uvc::run(settings)
}

/// Guards a lamp for whoever has the other ends of standard input and output.
///
/// # Errors
/// [`DeviceError`] when it cannot, or the lamp did not go out in the end.
#[cfg(feature = "pi")]
pub fn lamp_guard(order: &[String]) -> Result<(), DeviceError> {
    trapline_hal::pi::lamp_guard::run(order)
}

/// Puts out every lamp that the settings name; what was done, a line each.
///
/// # Errors
/// The first lamp of which nobody can say that it is dark; the others are dark then.
#[cfg(feature = "pi")]
pub fn lamp_off(config: &Config) -> Result<String, DeviceError> {
    use trapline_hal::pi::gpio::BoardLines;
    use trapline_hal::pi::lamp_guard::put_out;
    let lamps = [
        ("lamp", config.flash.as_ref().map(|flash| &flash.lamp)),
        ("attract", config.attract.as_ref().map(|light| &light.lamp)),
    ];
    let lines = BoardLines::open();
    let mut said = String::new();
    let mut failed = None;
    for (name, wiring) in lamps {
        let Some(wiring) = wiring else {
            continue;
        };
        match put_out(&lines, &wiring.line) {
            Ok(()) => said.push_str(&format!("{name} ({}) is dark\n", wiring.line)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if said.is_empty() => Ok("no lamp is named in the settings\n".to_owned()),
        None => Ok(said),
    }
}

/// Takes no picture.
///
/// # Errors
/// [`DeviceError`]: this program was built without cameras at USB.
#[cfg(not(feature = "pi"))]
pub fn usb_shot(_settings: &str) -> Result<(), DeviceError> {
    Err(built_without("camera", "cameras at USB"))
}

/// Guards nothing.
///
/// # Errors
/// [`DeviceError`]: this program was built without lines.
#[cfg(not(feature = "pi"))]
pub fn lamp_guard(_order: &[String]) -> Result<(), DeviceError> {
    Err(built_without("lamp", "lines"))
}

/// Nothing was ever lit by this program.
///
/// # Errors
/// None.
#[cfg(not(feature = "pi"))]
pub fn lamp_off(_config: &Config) -> Result<String, DeviceError> {
    Ok("this program was built without lines, so it lit no lamp\n".to_owned())
}

#[cfg(not(feature = "pi"))]
fn built_without(device: &'static str, what: &str) -> DeviceError {
    let message = format!("this program was built without {what}; build it with `--features pi`");
    DeviceError::new(device, trapline_hal::FaultKind::Absent, message)
}
