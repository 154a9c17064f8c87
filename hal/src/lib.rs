//! What a trap can touch: its clock, camera, sensors, display and power.
//!
//! Invariant: no schedule, no ledger, no network. Everything here may block
//! and may fail; the agent decides on which thread it blocks and what a
//! failure means. Device paths are named under `pi/` alone.

#![warn(missing_docs)]

pub mod ambient;
pub mod battery;
pub mod bus_sensors;
pub mod button;
pub mod camera;
pub mod card;
pub mod clock;
pub mod done_line;
pub mod drivers;
pub mod error;
pub mod flash;
pub mod lamp;
pub mod lines;
pub mod optics;
pub mod panel;
pub mod pi;
pub mod power;
pub mod power_plan;
mod robust;
pub mod rtc;
pub mod scan;
pub mod status_led;
pub mod switch;
pub mod throttle;
pub mod trigger;
pub mod units;
pub mod wake;
pub mod wall;
pub mod watch;

pub use ambient::{Ambient, AmbientReading};
pub use camera::{Camera, Frame, FrameSource, ShotFacts, ShotSettings};
pub use clock::{Clock, ClockQuality, Stamp};
pub use error::{DeviceError, FaultKind};
pub use panel::{Asleep, Canvas, Panel, PanelSize};
pub use power::{Power, PowerReading, SwitchOff, Thermal};
pub use power_plan::PowerPlan;
pub use units::{
    Amperes, BatteryOhms, Celsius, ChipCelsius, DividerRatio, Hectopascals, Lux, RelativeHumidity,
    ShuntOhms, Volts,
};
pub use wake::WakeSource;
