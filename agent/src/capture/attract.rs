//! The light that attracts: lit in its windows, dark in daylight and when the
//! battery is low. It is lit for a while only, again and again, so that it
//! goes out by itself when nobody is there any more to renew it.

use super::flash::answered;
use crate::config::lamps::AttractConfig;
use crate::desk::Desk;
use crate::lent::Lent;
use crate::moment::millis;
use crate::schedule::{DAY_MS, Window};
use std::time::Duration;
use tokio::time::Instant;
use trapline_hal::lamp::Light;
use trapline_hal::{ClockQuality, DeviceError, Stamp};

const PART: &str = "attract";
const ANSWER: Duration = Duration::from_secs(3);
/// The lamp lights its own sensor, so that only much more light is daylight.
const DAYLIGHT_FACTOR: f64 = 2.0;

/// The lamp, if there is one.
pub(super) struct Attract {
    desk: Desk,
    lamp: Lent<Box<dyn Light>>,
    lit_since: Option<Instant>,
    /// What the light sensor said last.
    lux: Option<f64>,
    /// Whether it is known to be dark or lit; after a start nobody has said so yet.
    is_settled: bool,
}

impl Attract {
    pub(super) fn new(desk: Desk, lamp: Option<Box<dyn Light>>) -> Self {
        Self {
            desk,
            lamp: lamp.map_or_else(Lent::empty, Lent::of),
            lit_since: None,
            lux: None,
            is_settled: false,
        }
    }

    /// Whether there is something to look after, though no picture may be due.
    pub(super) fn is_there(&self) -> bool {
        self.desk.config.attract.is_some()
    }

    /// Takes note of the light.
    pub(super) fn note_light(&mut self, lux: Option<f64>) {
        self.lux = lux.or(self.lux);
    }

    /// Lights it, puts it out or renews it, as it is time for.
    pub(super) async fn tend(&mut self, now: &Stamp) {
        let Some(config) = self.desk.config.attract.clone() else {
            return;
        };
        let around = Around {
            now,
            utc_offset_ms: self.desk.config.schedule.utc_offset_ms(),
            lux: self.lux,
            is_lit: self.lit_since.is_some(),
            battery_refuses: self.desk.power.battery.refusal(now).is_some(),
        };
        match dark_because(&config, &around) {
            None => self.keep_lit(&config).await,
            Some(why) => self.keep_dark(why).await,
        }
    }

    async fn keep_lit(&mut self, config: &AttractConfig) {
        let max_on = config.lamp.max_on;
        if self
            .lit_since
            .is_some_and(|since| since.elapsed() < max_on / 2)
        {
            return;
        }
        let is_renewed = self.lit_since.is_some();
        let (level, max_on_ms) = (config.lamp.level, millis(max_on));
        let lit = self
            .job(move |lamp| {
                // A lamp that is on would keep the end that it had.
                if is_renewed {
                    lamp.off()?;
                }
                lamp.on(level, max_on_ms)
            })
            .await;
        match lit {
            Ok(_) => {
                if !is_renewed {
                    log::info!("the attracting light is lit");
                }
                self.lit_since = Some(Instant::now());
                self.is_settled = true;
                self.desk.health.clear(PART);
            }
            Err(why) => {
                self.lit_since = None;
                self.raise(&why);
            }
        }
    }

    async fn keep_dark(&mut self, why: &str) {
        if self.is_settled && self.lit_since.is_none() {
            return;
        }
        match self.job(|lamp| lamp.off()).await {
            Ok(_) => {
                log::info!("the attracting light is dark: {why}");
                self.lit_since = None;
                self.is_settled = true;
                self.desk.health.clear(PART);
            }
            Err(why) => self.raise(&format!(
                "{why}; its guard puts it out after `attract.max_on` at the latest"
            )),
        }
    }

    async fn job<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Box<dyn Light>) -> Result<R, DeviceError> + Send + 'static,
    ) -> Result<R, String> {
        answered(self.lamp.job(self.desk.hands, ANSWER, work).await)
    }

    fn raise(&self, why: &str) {
        let now_ms = self.desk.clock.stamp().unix_ms;
        self.desk.health.raise(PART, why, now_ms);
    }
}

/// What decides whether the light is lit.
struct Around<'a> {
    now: &'a Stamp,
    utc_offset_ms: i64,
    lux: Option<f64>,
    is_lit: bool,
    battery_refuses: bool,
}

/// Why the light is dark now; `None` when it is to be lit.
fn dark_because(config: &AttractConfig, around: &Around<'_>) -> Option<&'static str> {
    if around.battery_refuses {
        return Some("the battery is low");
    }
    if !config.windows.is_empty() {
        if around.now.quality == ClockQuality::Unset {
            return Some("the clock was never set, so nobody knows whether it is time");
        }
        let time_ms = (around.now.unix_ms + around.utc_offset_ms).rem_euclid(DAY_MS);
        if !config.windows.iter().any(|window| is_in(window, time_ms)) {
            return Some("it is not in its windows");
        }
    }
    let (lux, limit) = around.lux.zip(config.dark_below_lux)?;
    let limit = if around.is_lit {
        limit * DAYLIGHT_FACTOR
    } else {
        limit
    };
    (lux >= limit).then_some("it is day")
}

fn is_in(window: &Window, time_ms: i64) -> bool {
    let Window { from_ms, until_ms } = *window;
    if from_ms < until_ms {
        (from_ms..until_ms).contains(&time_ms)
    } else {
        time_ms >= from_ms || time_ms < until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::lamps::LampWiring;
    use crate::hands::Hands;
    use std::sync::{Arc, Mutex};
    use trapline_hal::lamp::PutOut;
    use trapline_hal::lines::{Level, OutputKind};
    use trapline_hal::pi::clock::SystemClock;
    use trapline_store::{Ledger, OsDisk};
    use trapline_wire::LedgerId;

    const HOUR_MS: i64 = 3_600_000;

    fn config(windows: &[(i64, i64)], dark_below_lux: Option<f64>) -> AttractConfig {
        let windows = windows.iter().map(|(from, until)| Window {
            from_ms: from * HOUR_MS,
            until_ms: until * HOUR_MS,
        });
        AttractConfig {
            lamp: LampWiring {
                line: "GPIO23".parse().unwrap(),
                kind: OutputKind::Switch,
                level: Level::FULL,
                max_on: Duration::from_mins(30),
            },
            windows: windows.collect(),
            dark_below_lux,
        }
    }

    fn at(hour: i64) -> Stamp {
        Stamp {
            unix_ms: 20_000 * DAY_MS + hour * HOUR_MS,
            quality: ClockQuality::Synced,
            boot_id: "boot".to_owned(),
            uptime_ms: 0,
        }
    }

    fn around(now: &Stamp) -> Around<'_> {
        Around {
            now,
            utc_offset_ms: 2 * HOUR_MS,
            lux: None,
            is_lit: false,
            battery_refuses: false,
        }
    }

    #[test]
    fn it_is_lit_in_its_windows_of_local_time() {
        let night = config(&[(21, 1)], None);
        let lit: Vec<i64> = (0..24)
            .filter(|hour| dark_because(&night, &around(&at(*hour))).is_none())
            .collect();
        assert_eq!(lit, [19, 20, 21, 22], "two hours east of UTC");
    }

    #[test]
    fn it_is_dark_while_the_time_is_not_known() {
        let mut now = at(20);
        now.quality = ClockQuality::Unset;
        let why = dark_because(&config(&[(21, 1)], None), &around(&now)).unwrap();
        assert!(why.contains("never set"));
        assert_eq!(dark_because(&config(&[], None), &around(&now)), None);
    }

    #[test]
    fn it_is_dark_in_daylight_and_its_own_light_is_none() {
        let now = at(12);
        let lamp = config(&[], Some(50.0));
        let lit = |lux, is_lit| {
            let around = Around {
                lux: Some(lux),
                is_lit,
                ..around(&now)
            };
            dark_because(&lamp, &around).is_none()
        };
        assert!(lit(49.0, false) && !lit(50.0, false));
        assert!(lit(99.0, true) && !lit(100.0, true));
        assert_eq!(
            dark_because(&lamp, &around(&now)),
            None,
            "no sensor says so"
        );
    }

    /// Notes each order.
    struct Noted(Arc<Mutex<Vec<String>>>);

    impl Light for Noted {
        fn on(&mut self, level: Level, max_on_ms: u64) -> Result<PutOut, DeviceError> {
            let order = format!("on {} {max_on_ms}", level.permille());
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(order);
            Ok(PutOut::Now)
        }

        fn off(&mut self) -> Result<PutOut, DeviceError> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push("off".to_owned());
            Ok(PutOut::Now)
        }

        fn tend(&mut self) -> Result<(), DeviceError> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_before_it_would_go_out() {
        let folder = tempfile::tempdir().unwrap();
        let settings = "[camera]\nkind = \"none\"\n[attract]\nline = \"GPIO23\"\n\
                        windows = [\"21:00..23:00\"]\nmax_on = \"10m\"\n";
        let config = Arc::new(Config::from_text("test", settings).unwrap());
        let now = crate::moment::wire_stamp(&at(0));
        let disk = Arc::new(OsDisk);
        let (ledger, _) = Ledger::open(folder.path(), disk, || LedgerId(7), &now).unwrap();
        let desk = Desk::new(config, Arc::new(SystemClock::new()), Hands::Inline, ledger);
        let noted = Arc::new(Mutex::new(Vec::new()));
        let lamp: Box<dyn Light> = Box::new(Noted(Arc::clone(&noted)));
        let mut attract = Attract::new(desk, Some(lamp));
        let noted = || std::mem::take(&mut *noted.lock().unwrap());
        attract.tend(&at(20)).await;
        assert_eq!(noted(), ["off"], "whoever ran before may have left it lit");
        attract.tend(&at(21)).await;
        assert_eq!(noted(), ["on 1000 600000"]);
        tokio::time::sleep(Duration::from_mins(4)).await;
        attract.tend(&at(21)).await;
        assert_eq!(noted(), [""; 0]);
        tokio::time::sleep(Duration::from_mins(1)).await;
        attract.tend(&at(22)).await;
        assert_eq!(noted(), ["off", "on 1000 600000"]);
        attract.tend(&at(23)).await;
        attract.tend(&at(23)).await;
        assert_eq!(noted(), ["off"]);
    }

    #[test]
    fn it_is_dark_when_the_battery_is_low() {
        let now = at(20);
        let around = Around {
            battery_refuses: true,
            ..around(&now)
        };
        assert!(dark_because(&config(&[], None), &around).is_some());
    }
}
