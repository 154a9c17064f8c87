//! The real devices: Linux and the Raspberry Pi. The only place that names device paths.

pub mod boot_slot;
pub mod camera_csi;
pub mod camera_folder;
pub mod camera_uvc;
mod child;
pub mod clock;
pub mod fingerprint;
pub mod folder_readings;
#[cfg(feature = "pi")]
pub mod gpio;
#[cfg(feature = "pi")]
mod gpio_cdev;
#[cfg(feature = "pi")]
mod gpio_rppal;
#[cfg(feature = "pi")]
pub mod i2c;
mod jpeg_span;
pub mod kernel_sensors;
#[cfg(feature = "pi")]
pub mod lamp_guard;
#[cfg(feature = "pi")]
pub mod panel;
#[cfg(feature = "pi")]
mod pwm;
pub mod rtc;
pub mod supply;
pub mod switch_off;
#[cfg(feature = "pi")]
pub mod switched;
pub mod thermal;
pub mod wake;
