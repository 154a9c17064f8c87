//! What runs in a process of its own, because a driver may hang in it or
//! because it has to outlive the agent: a picture of a camera at USB.

use trapline_hal::DeviceError;

/// The running program, also after its file was replaced by an update.
pub const THIS_PROGRAM: &str = "/proc/self/exe";
/// The subcommand that takes a picture of a camera at USB.
pub const USB_SHOT: &str = "usb-shot";

/// Takes one picture of a camera at USB and writes it to standard output.
///
/// # Errors
/// [`DeviceError`] when nobody reads it, or this program was built without.
#[cfg(feature = "pi")]
pub fn usb_shot(settings: &str) -> Result<(), DeviceError> {
    trapline_hal::pi::camera_uvc::run(settings)
}

/// Takes no picture.
///
/// # Errors
/// [`DeviceError`]: this program was built without cameras at USB.
#[cfg(not(feature = "pi"))]
pub fn usb_shot(_settings: &str) -> Result<(), DeviceError> {
    Err(built_without("cameras at USB"))
}

#[cfg(not(feature = "pi"))]
fn built_without(what: &str) -> DeviceError {
    let message = format!("this program was built without {what}; build it with `--features pi`");
    DeviceError::new("camera", trapline_hal::FaultKind::Absent, message)
}
