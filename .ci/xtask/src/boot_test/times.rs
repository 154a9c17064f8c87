//! What a boot took, by the guest's own clock.

use super::power::Powered;
use anyhow::{Context as _, Result};

/// Seconds since the kernel began, but `server_s`, which the desk counted from power-on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Times {
    pub(super) kernel_s: f64,
    pub(super) multi_user_s: f64,
    pub(super) agent_ready_s: Option<f64>,
    pub(super) first_capture_s: Option<f64>,
    pub(super) server_s: Option<f64>,
}

impl Times {
    /// Asks a guest that is up and has reached multi-user.
    pub(super) fn of(powered: &mut Powered) -> Result<Self> {
        let done = "systemctl show -p ActiveEnterTimestampMonotonic --value multi-user.target";
        powered.until("multi-user.target", done, |text| {
            microseconds(text).is_some()
        })?;
        let text = powered.machine.tell(
            "systemctl show -p UserspaceTimestampMonotonic --value; \
             systemctl show -p ActiveEnterTimestampMonotonic --value multi-user.target; \
             systemctl show -p ActiveEnterTimestampMonotonic --value trapline-agent.service",
        )?;
        let mut lines = text.lines().map(microseconds);
        let mut next = || lines.next().flatten();
        Ok(Self {
            kernel_s: next().context("no time of the kernel's end")?,
            multi_user_s: next().context("no time of multi-user.target")?,
            agent_ready_s: next(),
            first_capture_s: None,
            server_s: None,
        })
    }

    /// A row of the table.
    pub(super) fn row(&self, name: &str) -> String {
        let cell = |value: Option<f64>| value.map_or("–".to_owned(), |s| format!("{s:.1} s"));
        format!(
            "| {name} | {:.1} s | {:.1} s | {} | {} | {} |",
            self.kernel_s,
            self.multi_user_s - self.kernel_s,
            cell(self.agent_ready_s),
            cell(self.first_capture_s),
            cell(self.server_s),
        )
    }
}

/// The heading of the table of [`Times::row`].
pub(super) const HEADING: [&str; 2] = [
    "| boot | kernel, with its first root | userspace, to multi-user | agent ready | first capture | first capture on the server |",
    "|---|---|---|---|---|---|",
];

/// Seconds of a time that systemd tells in microseconds; it tells 0 of what has not been.
fn microseconds(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number > 0.0).then_some(number / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_been_has_no_time() {
        assert_eq!(microseconds("1500000\n"), Some(1.5));
        assert_eq!(microseconds("0"), None);
        assert_eq!(microseconds(""), None);
    }
}
