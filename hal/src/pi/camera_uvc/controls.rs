//! Which controls of a camera are set to what, and what has to be said because
//! a camera has no such control or did not take it.

use crate::optics::{Focus, Optics, White};

/// The kernel's numbers of the controls (`linux/v4l2-controls.h`).
pub(super) const EXPOSURE_AUTO: u32 = 0x009a_0901;
pub(super) const EXPOSURE_100_US: u32 = 0x009a_0902;
pub(super) const GAIN_AUTO: u32 = 0x0098_0912;
pub(super) const GAIN: u32 = 0x0098_0913;
pub(super) const FOCUS_AUTO: u32 = 0x009a_090c;
pub(super) const FOCUS: u32 = 0x009a_090a;
pub(super) const WHITE_AUTO: u32 = 0x0098_090c;
pub(super) const WHITE_K: u32 = 0x0098_091a;

/// Values of [`EXPOSURE_AUTO`].
const EXPOSURE_MANUAL: i64 = 1;
const EXPOSURE_BY_APERTURE: i64 = 3;

/// A control as the camera offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) id: u32,
    pub(super) value: i64,
    pub(super) default: i64,
    pub(super) min: i64,
    pub(super) max: i64,
    /// On and off, and nothing else.
    pub(super) is_switch: bool,
}

/// What is to be set, in this order, and what has to be said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) steps: Vec<(u32, i64)>,
    pub(super) remarks: Vec<String>,
}

/// What to set so that the camera looks as it is told.
pub(super) fn plan(optics: &Optics, offered: &[Offered]) -> Plan {
    let mut planner = Planner {
        offered,
        plan: Plan::default(),
    };
    planner.exposure(optics.exposure_us);
    planner.gain(optics.gain);
    planner.focus(optics.focus);
    planner.white(optics.white);
    planner.plan
}

/// What the camera did not take, read back.
pub(super) fn not_taken(plan: &Plan, now: &[Offered]) -> Vec<String> {
    let wrong = plan.steps.iter().filter_map(|(id, wanted)| {
        let is = now.iter().find(|control| control.id == *id)?.value;
        (is != *wanted).then(|| format!("its {} stayed at {is} instead of {wanted}", name(*id)))
    });
    wrong.collect()
}

/// What is fixed now, so that it can be told of the picture.
pub(super) fn fixed(now: &[Offered], automatic: u32, manual: i64, control: u32) -> Option<i64> {
    let value = |id| now.iter().find(|c| c.id == id).map(|c| c.value);
    (value(automatic)? == manual).then(|| value(control))?
}

/// The exposure that is fixed now, in microseconds.
pub(super) fn exposure_us(now: &[Offered]) -> Option<u64> {
    let steps = fixed(now, EXPOSURE_AUTO, EXPOSURE_MANUAL, EXPOSURE_100_US)?;
    u64::try_from(steps).ok()?.checked_mul(100)
}

/// The white that is fixed now, in kelvin.
pub(super) fn white_k(now: &[Offered]) -> Option<u32> {
    u32::try_from(fixed(now, WHITE_AUTO, 0, WHITE_K)?).ok()
}

struct Planner<'a> {
    offered: &'a [Offered],
    plan: Plan,
}

impl Planner<'_> {
    fn exposure(&mut self, exposure_us: Option<u32>) {
        let Some(exposure_us) = exposure_us else {
            if let Some(mode) = self.find(EXPOSURE_AUTO) {
                // Most cameras know only one of the automatic ways, and come with it.
                let usual = Some(mode.default).filter(|d| *d != EXPOSURE_MANUAL);
                self.set(EXPOSURE_AUTO, usual.unwrap_or(EXPOSURE_BY_APERTURE));
            }
            return;
        };
        self.set(EXPOSURE_AUTO, EXPOSURE_MANUAL);
        self.need(EXPOSURE_100_US, i64::from(exposure_us.div_ceil(100)));
    }

    fn gain(&mut self, gain: Option<f64>) {
        match gain {
            None => self.set(GAIN_AUTO, 1),
            Some(gain) => {
                self.set(GAIN_AUTO, 0);
                self.need(GAIN, whole(gain));
            }
        }
    }

    fn focus(&mut self, focus: Focus) {
        match focus {
            Focus::Auto => self.set(FOCUS_AUTO, 1),
            Focus::At(place) => {
                self.set(FOCUS_AUTO, 0);
                self.need(FOCUS, whole(place));
            }
        }
    }

    fn white(&mut self, white: White) {
        let kelvin = match white {
            White::Auto => return self.set(WHITE_AUTO, 1),
            White::Under(light) => light.kelvin(),
            White::Kelvin(kelvin) => kelvin,
            White::Gains { .. } => {
                let remark = "factors of red and blue are not for a camera at USB; give kelvin";
                self.plan.remarks.push(remark.to_owned());
                return;
            }
        };
        self.set(WHITE_AUTO, 0);
        self.need(WHITE_K, i64::from(kelvin));
    }

    fn find(&self, id: u32) -> Option<Offered> {
        self.offered
            .iter()
            .find(|control| control.id == id)
            .copied()
    }

    /// Sets a switch where there is one; a camera without it has nothing to switch.
    fn set(&mut self, id: u32, value: i64) {
        if self.find(id).is_some() {
            self.plan.steps.push((id, value));
        }
    }

    /// Sets a value as near as the camera goes, and says where it cannot.
    fn need(&mut self, id: u32, value: i64) {
        let Some(control) = self.find(id) else {
            let remark = format!("it has no control of its {}", name(id));
            self.plan.remarks.push(remark);
            return;
        };
        let (min, max) = (control.min, control.max.max(control.min));
        let near = value.clamp(min, max);
        if near != value {
            let name = name(id);
            let remark = format!("its {name} goes from {min} to {max}, so {near} and not {value}");
            self.plan.remarks.push(remark);
        }
        self.plan.steps.push((id, near));
    }
}

fn whole(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float ends at the limits, which is what is wanted"
    )]
    let whole = number.round() as i64;
    whole
}

fn name(id: u32) -> &'static str {
    match id {
        EXPOSURE_AUTO => "automatic exposure",
        EXPOSURE_100_US => "exposure (in 100 µs)",
        GAIN_AUTO => "automatic gain",
        GAIN => "gain",
        FOCUS_AUTO => "automatic focus",
        FOCUS => "focus",
        WHITE_AUTO => "automatic white balance",
        WHITE_K => "white balance (in kelvin)",
        _ => "control",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::Light;

    fn control(id: u32, value: i64, (min, max): (i64, i64)) -> Offered {
        Offered {
            id,
            value,
            default: value,
            min,
            max,
            is_switch: max == 1,
        }
    }

    /// As a Logitech C920 offers them.
    fn c920() -> Vec<Offered> {
        vec![
            control(WHITE_AUTO, 1, (0, 1)),
            control(GAIN, 0, (0, 255)),
            control(WHITE_K, 4_000, (2_000, 6_500)),
            control(EXPOSURE_AUTO, 3, (0, 3)),
            control(EXPOSURE_100_US, 250, (3, 2_047)),
            control(FOCUS, 0, (0, 250)),
            control(FOCUS_AUTO, 1, (0, 1)),
        ]
    }

    #[test]
    fn what_is_fixed_leaves_its_automatic_first() {
        let optics = Optics {
            exposure_us: Some(5_000),
            gain: Some(32.0),
            focus: Focus::At(40.0),
            white: White::Under(Light::Daylight),
        };
        let plan = plan(&optics, &c920());
        let steps = [
            (EXPOSURE_AUTO, 1),
            (EXPOSURE_100_US, 50),
            (GAIN, 32),
            (FOCUS_AUTO, 0),
            (FOCUS, 40),
            (WHITE_AUTO, 0),
            (WHITE_K, 5_500),
        ];
        assert_eq!(plan.steps, steps);
        assert_eq!(plan.remarks, [""; 0]);
    }

    #[test]
    fn a_camera_that_was_fixed_goes_back_to_its_own_ways() {
        let plan = plan(&Optics::default(), &c920());
        let steps = [(EXPOSURE_AUTO, 3), (FOCUS_AUTO, 1), (WHITE_AUTO, 1)];
        assert_eq!(plan.steps, steps);
        assert!(super::plan(&Optics::default(), &[]).steps.is_empty());
    }

    #[test]
    fn what_a_camera_cannot_do_is_said() {
        let optics = Optics {
            exposure_us: Some(1_000_000),
            focus: Focus::At(4.0),
            ..Optics::default()
        };
        let fixed_focus: Vec<Offered> = c920().into_iter().filter(|c| c.id != FOCUS).collect();
        let plan = plan(&optics, &fixed_focus);
        assert!(plan.steps.contains(&(EXPOSURE_100_US, 2_047)));
        let [exposure, focus] = plan.remarks.as_slice() else {
            panic!("{:?}", plan.remarks);
        };
        assert!(exposure.contains("from 3 to 2047"), "{exposure}");
        assert_eq!(focus, "it has no control of its focus");
    }

    #[test]
    fn what_did_not_take_is_read_back() {
        let optics = Optics {
            exposure_us: Some(5_000),
            ..Optics::default()
        };
        let plan = plan(&optics, &c920());
        let remarks = not_taken(&plan, &c920());
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[1].contains("stayed at 250 instead of 50"));
        assert_eq!(exposure_us(&c920()), None, "it is the camera's own doing");
        let taken = [
            control(EXPOSURE_AUTO, 1, (0, 3)),
            control(EXPOSURE_100_US, 50, (3, 2_047)),
        ];
        assert_eq!(exposure_us(&taken), Some(5_000));
        assert_eq!(white_k(&taken), None);
    }
}
