//! From keys and values to a [`Config`], finding everything wrong in one pass.

use super::raw::{Entries, Entry, Origin, Problem, Value};
use super::written::parse_duration;
use super::{Config, DetectorConfig, LedgerConfig, SyncConfig, TrapConfig};
use crate::degrade::{Steps, Thresholds};
use log::LevelFilter;
use std::path::PathBuf;
use std::time::Duration;
use trapline_wire::limits::TEXT_BYTES_MAX;

/// The configuration, if there is nothing wrong, and what is wrong.
#[must_use]
pub fn check(entries: &Entries) -> (Option<Config>, Vec<Problem>) {
    let mut checker = Checker {
        entries,
        problems: Vec::new(),
    };
    let name = checker.name();
    let place = checker.place();
    let config = Config {
        trap: TrapConfig { name, place },
        ledger: checker.ledger(),
        schedule: checker.schedule(place),
        camera: checker.camera(),
        flash: checker.flash(),
        attract: checker.attract(),
        sensors: checker.sensors(),
        power: checker.power(),
        clock: checker.clock(),
        front: checker.front(),
        detector: checker.detector(),
        server: checker.server(),
        sync: checker.sync(),
        page: checker.page(),
        update: checker.update(),
        log_level: checker.one_of("log.level", &LEVELS, LevelFilter::Info),
    };
    let problems = checker.problems;
    (problems.is_empty().then_some(config), problems)
}

const LEVELS: [(&str, LevelFilter); 5] = [
    ("error", LevelFilter::Error),
    ("warn", LevelFilter::Warn),
    ("info", LevelFilter::Info),
    ("debug", LevelFilter::Debug),
    ("trace", LevelFilter::Trace),
];

pub(super) struct Checker<'a> {
    entries: &'a Entries,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn name(&mut self) -> String {
        let name = self.text("trap.name");
        if name.is_empty() || name.len() > TEXT_BYTES_MAX || name.chars().any(char::is_control) {
            let message = format!("`trap.name` needs 1 to {TEXT_BYTES_MAX} printable characters");
            self.complain("trap.name", message);
        }
        name
    }

    fn ledger(&mut self) -> LedgerConfig {
        LedgerConfig {
            dir: self.needed_path("ledger.dir", "a folder for the ledger"),
            quota_bytes: self.whole("ledger.quota_bytes", 1_000_000, i64::MAX),
            free_bytes_min: self.whole("ledger.free_bytes_min", 0, i64::MAX),
        }
    }

    fn detector(&mut self) -> DetectorConfig {
        let manifest = self.text("detector.manifest");
        let models_dir = self.text("detector.models_dir");
        let model = self.text("detector.model");
        if !model.is_empty() && !manifest.is_empty() {
            let message = "`detector.model` and `detector.manifest` both name a model; keep one";
            self.complain("detector.model", message.to_owned());
        }
        if !model.is_empty() && models_dir.is_empty() {
            let message = "`detector.model` is set but `detector.models_dir` is not; name the \
                           folder in which the model lies";
            self.complain("detector.model", message.to_owned());
        }
        DetectorConfig {
            enabled: self.switch("detector.enabled"),
            manifest: (!manifest.is_empty()).then(|| PathBuf::from(manifest)),
            models_dir: (!models_dir.is_empty()).then(|| PathBuf::from(models_dir)),
            model: (!model.is_empty()).then_some(model),
            slower_max_percent: self.whole("detector.slower_max_percent", 100, 10_000),
            probation_pictures: u32::try_from(self.whole("detector.probation_pictures", 1, 10_000))
                .unwrap_or(1),
            memory_limit_bytes: self.whole("detector.memory_limit_bytes", 16_000_000, i64::MAX),
            degrade: self.degrade(),
            time_limit: self.duration("detector.time_limit", SECOND..=60 * MINUTE),
            attempts_max: u32::try_from(self.whole("detector.attempts_max", 1, 100)).unwrap_or(1),
        }
    }

    fn degrade(&mut self) -> Thresholds {
        let mut step = |key: &str, max: i64| {
            let value = self.whole(key, 0, max);
            (value > 0).then_some(value)
        };
        let battery_mv = Steps {
            gated: step("detector.degrade.battery_gated_mv", 60_000),
            half: step("detector.degrade.battery_half_mv", 60_000),
            queue: step("detector.degrade.battery_queue_mv", 60_000),
        };
        let soc_c = Steps {
            gated: step("detector.degrade.soc_gated_c", 150),
            half: step("detector.degrade.soc_half_c", 150),
            queue: step("detector.degrade.soc_queue_c", 150),
        };
        let month = 30 * 24 * 60 * MINUTE;
        let backlog = |checker: &mut Self, key: &str| {
            let length = checker.duration(key, Duration::ZERO..=month);
            (!length.is_zero()).then_some(length)
        };
        Thresholds {
            battery_mv,
            soc_c,
            backlog: Steps {
                gated: backlog(self, "detector.degrade.backlog_gated"),
                half: backlog(self, "detector.degrade.backlog_half"),
                queue: None,
            },
            battery_margin_mv: self.whole("detector.degrade.battery_margin_mv", 0, 10_000),
            soc_margin_c: self.whole("detector.degrade.soc_margin_c", 0, 50),
        }
    }

    fn sync(&mut self) -> SyncConfig {
        let sync = SyncConfig {
            heartbeat_every: self.duration("sync.heartbeat_every", SECOND..=24 * 60 * MINUTE),
            retry_min: self.duration("sync.retry_min", Duration::from_millis(10)..=60 * MINUTE),
            retry_max: self.duration(
                "sync.retry_max",
                Duration::from_millis(10)..=24 * 60 * MINUTE,
            ),
            request_timeout: self.duration("sync.request_timeout", SECOND..=60 * MINUTE),
            piece_bytes_max: self.whole("sync.piece_bytes_max", 4096, 16 * 1024 * 1024),
        };
        if sync.retry_min > sync.retry_max {
            let message = "`sync.retry_max` must not be shorter than `sync.retry_min`";
            self.complain("sync.retry_max", message.to_owned());
        }
        sync
    }

    pub(super) fn complain(&mut self, key: &str, message: String) {
        let origin = self.entries.get(key).map(|entry| entry.origin.clone());
        let origin = origin.unwrap_or_else(|| Origin {
            source: super::raw::DEFAULT_NAME.into(),
            line: None,
        });
        self.problems.push(Problem { origin, message });
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|Entry { value, .. }| value)
    }

    pub(super) fn text(&self, key: &str) -> String {
        match self.value(key) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn switch(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Switch(true)))
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Value::List(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn whole(&mut self, key: &str, min: i64, max: i64) -> u64 {
        let number = match self.value(key) {
            Some(Value::Whole(number)) => *number,
            _ => min,
        };
        if !(min..=max).contains(&number) {
            let range = if max == i64::MAX {
                format!("at least {min}")
            } else {
                format!("{min} to {max}")
            };
            self.complain(key, format!("`{key}` needs {range}, not {number}"));
        }
        u64::try_from(number).unwrap_or(0)
    }

    pub(super) fn needed_path(&mut self, key: &str, what: &str) -> PathBuf {
        let text = self.text(key);
        if text.is_empty() {
            self.complain(key, format!("`{key}` is not set; write {what}"));
        }
        PathBuf::from(text)
    }

    pub(super) fn duration(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<Duration>,
    ) -> Duration {
        let text = self.text(key);
        let (min, max) = range.into_inner();
        match parse_duration(&text) {
            Some(duration) if (min..=max).contains(&duration) => duration,
            Some(_) => {
                let message = format!("`{key}` needs {min:?} to {max:?}, not {text:?}");
                self.complain(key, message);
                min
            }
            None => {
                let message = format!(
                    "`{key}` needs a duration like \"20m\", \"1h30m\" or \"500ms\", not {text:?}"
                );
                self.complain(key, message);
                min
            }
        }
    }

    pub(super) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)], fallback: T) -> T {
        let text = self.text(key);
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
            return *found;
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        let message = format!("`{key}` needs one of {}, not {text:?}", all.join(", "));
        self.complain(key, message);
        fallback
    }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
