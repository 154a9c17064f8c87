//! What a trap did, what waits and what is wrong, read beside the running agent.
//!
//! The JSON of [`Status`] is for programs and only ever gains fields.

mod power;

use crate::enrol::EnrolFacts;
use crate::health::{BatteryFacts, Facts, RtcFacts};
use crate::models::shelf::state_words;
use crate::moment::utc_text;
use crate::service::read_facts;
use anyhow::Context as _;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use trapline_store::{OsDisk, StoreError, Summary, Usage, View};
use trapline_wire::arrivals::Count;
use trapline_wire::v1::{
    Fault, InspectionOutcome, LookFacts, MissReason, ModelAnswer, PictureFlaw, PictureQuality,
    UpdateAnswer, UpdateState,
};

/// So many of the newest pictures are looked at for poor ones: a day of one every 20 minutes.
const RECENT: u32 = 72;
const DAY_MS: i64 = 24 * 3_600_000;

/// The state of a trap; times are milliseconds since 1970 in UTC, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Whether an agent runs; what only it knows is `null` otherwise.
    pub running: bool,
    /// The ledger's id, `null` before the first start.
    pub ledger: Option<String>,
    /// Pictures ever taken.
    pub captures: u64,
    /// When the newest was taken, as the trap believes.
    pub last_capture_ms: Option<i64>,
    /// Insects on the newest, `null` while it was not looked at.
    pub last_capture_insects: Option<u64>,
    /// Insects that arrived since midnight UTC; `null` when nobody looked.
    pub arrivals_today: Option<Count>,
    /// How the newest picture that was looked at was looked at.
    pub last_look: Option<LookFacts>,
    /// How many of the newest pictures were looked at for [`poor`](Self::poor).
    pub recent: u64,
    /// How many of those have which flaw, measured when they were taken.
    pub poor: BTreeMap<PictureFlaw, u64>,
    /// What is wrong with the newest picture.
    pub last_capture_flaws: Vec<PictureFlaw>,
    /// Shots ever missed.
    pub missed: u64,
    /// The same by reason.
    pub missed_by_reason: BTreeMap<MissReason, u64>,
    /// Pictures that were searched for insects.
    pub inspected: u64,
    /// Pictures that could not be searched.
    pub inspections_given_up: u64,
    /// Pictures that wait to be searched.
    pub inspections_waiting: u64,
    /// Records that the server does not have yet.
    pub records_waiting: u64,
    /// Records that the server will never take.
    pub records_refused: u64,
    /// Pictures that are on this card alone.
    pub pictures_waiting: u64,
    /// Their size.
    pub pictures_waiting_bytes: u64,
    /// Pictures that are on the card and on the server.
    pub pictures_safe: u64,
    /// Pictures that were removed from the card after the server had them.
    pub pictures_pruned: u64,
    /// Pictures that the card has spoilt.
    pub pictures_damaged: u64,
    /// Size of all pictures on the card.
    pub pictures_bytes: u64,
    /// Room left on the card.
    pub disk_free_bytes: Option<u64>,
    /// When the server last answered.
    pub last_sync_ms: Option<i64>,
    /// Why the last try to reach it failed.
    pub sync_error: Option<String>,
    /// The server's clock minus the trap's.
    pub server_offset_ms: Option<i64>,
    /// When the next shot is due.
    pub next_due_ms: Option<i64>,
    /// Why no shot is planned.
    pub idle: Option<String>,
    /// The model in use.
    pub model: Option<String>,
    /// What became of the last model that the server offered.
    pub model_offer: Option<ModelAnswer>,
    /// What became of the last update of the whole system.
    pub update: Option<UpdateAnswer>,
    /// Why the detector takes less than full care.
    pub less_care: Option<String>,
    /// Processor temperature before the last look, degrees Celsius.
    pub soc_c: Option<f64>,
    /// Battery voltage at the last shot.
    pub battery_v: Option<f64>,
    /// The battery, where it is measured and its kind is known.
    pub battery: Option<BatteryFacts>,
    /// How many hours the card lasts at the rate of the last days.
    pub card_hours_left: Option<u32>,
    /// The wake that is armed, while the trap is about to lie down.
    pub wakes_ms: Option<i64>,
    /// The battery-backed clock.
    pub rtc: Option<RtcFacts>,
    /// What held the processor back since boot, with the remedy.
    pub strains: Vec<String>,
    /// How the trap stands with its server; `null` without one, or with a key in its settings.
    pub enrolment: Option<EnrolFacts>,
    /// What does not work.
    pub faults: Vec<Fault>,
    #[serde(skip)]
    now_ms: i64,
}

impl Status {
    /// Reads the ledger in `dir` without disturbing the agent that works on it.
    ///
    /// # Errors
    /// When there is a ledger and it cannot be read.
    pub fn read(dir: &Path, now_ms: i64) -> anyhow::Result<Self> {
        Self::with_facts(dir, read_facts(dir), now_ms)
    }

    /// The same, in the running agent, which has these facts.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of_running(dir: &Path, facts: Facts, now_ms: i64) -> anyhow::Result<Self> {
        Self::with_facts(dir, Some(facts), now_ms)
    }

    fn with_facts(dir: &Path, facts: Option<Facts>, now_ms: i64) -> anyhow::Result<Self> {
        let view = match View::open(dir, Arc::new(OsDisk)) {
            Ok(view) => Some(view),
            Err(StoreError::NoLedger { .. }) => None,
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the ledger in {}", dir.display()));
            }
        };
        let (ledger, summary, usage) = match &view {
            Some(view) => (
                Some(view.id().to_string()),
                // Since before any clock, so "since" is "ever".
                view.summary(i64::MIN)?,
                Some(view.usage()?),
            ),
            None => (None, Summary::default(), None),
        };
        let mut status = Self::of(ledger, summary, usage, facts, now_ms);
        if let Some(view) = &view {
            let midnight_ms = now_ms - now_ms.rem_euclid(DAY_MS);
            let today = view.arrivals(midnight_ms, DAY_MS, 1)?;
            status.arrivals_today = today.first().and_then(|interval| interval.arrivals);
            status.last_look = last_look(view)?;
            status.note_quality(&view.recent_quality(RECENT)?);
        }
        Ok(status)
    }

    fn of(
        ledger: Option<String>,
        summary: Summary,
        usage: Option<Usage>,
        facts: Option<Facts>,
        now_ms: i64,
    ) -> Self {
        let running = facts.is_some();
        let facts = facts.unwrap_or_default();
        Self {
            running,
            ledger,
            captures: summary.captures,
            last_capture_ms: summary.last_capture.as_ref().map(|c| c.stamp.unix_ms),
            last_capture_insects: summary.last_capture.and_then(|c| c.insects),
            arrivals_today: None,
            last_look: None,
            recent: 0,
            poor: BTreeMap::new(),
            last_capture_flaws: Vec::new(),
            missed: summary.missed,
            missed_by_reason: summary.missed_since,
            inspected: summary.inspected,
            inspections_given_up: summary.gave_up,
            inspections_waiting: summary.inspections_waiting,
            records_waiting: summary.records_waiting,
            records_refused: summary.records_refused,
            pictures_waiting: summary.pictures_waiting,
            pictures_waiting_bytes: summary.pictures_waiting_bytes,
            pictures_safe: summary.pictures_safe,
            pictures_pruned: summary.pictures_pruned,
            pictures_damaged: summary.pictures_damaged,
            pictures_bytes: usage.map_or(0, |u| u.pictures_bytes),
            disk_free_bytes: usage.map(|u| u.free_bytes),
            last_sync_ms: facts.last_sync_ms,
            sync_error: facts.sync_error,
            server_offset_ms: facts.server_offset_ms,
            next_due_ms: facts.next_due_ms,
            idle: facts.idle,
            model: facts.model,
            model_offer: facts.model_offer,
            update: facts.update,
            less_care: facts.less_care,
            soc_c: facts.soc_c,
            battery_v: facts.battery_v,
            battery: facts.battery,
            card_hours_left: facts.card_hours_left,
            wakes_ms: facts.wakes_ms,
            rtc: facts.rtc,
            strains: facts.strains,
            enrolment: facts.enrolment,
            faults: facts.faults.into_values().collect(),
            now_ms,
        }
    }

    /// When it was read, as the trap believes.
    #[must_use]
    pub fn read_ms(&self) -> i64 {
        self.now_ms
    }

    fn ago(&self, then_ms: i64) -> String {
        let seconds = self.now_ms.saturating_sub(then_ms) / 1000;
        let text = span(seconds.saturating_abs());
        if seconds < 0 {
            format!("in {text}")
        } else {
            format!("{text} ago")
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ledger) = &self.ledger else {
            return writeln!(f, "No ledger yet: the trap was never started.");
        };
        let state = if self.running {
            "running"
        } else {
            "not running"
        };
        writeln!(f, "Agent       {state}, ledger {ledger}")?;
        write!(f, "Pictures    {} taken", self.captures)?;
        if let Some(last_ms) = self.last_capture_ms {
            write!(
                f,
                ", the last {} ({})",
                self.ago(last_ms),
                utc_text(last_ms)
            )?;
        }
        writeln!(f)?;
        self.write_poor(f)?;
        match (self.next_due_ms, &self.idle) {
            (Some(due_ms), _) => writeln!(f, "Next shot   {}", self.ago(due_ms))?,
            (None, Some(why)) => writeln!(f, "Next shot   none: {why}")?,
            (None, None) => {}
        }
        write!(f, "Missed      {}", self.missed)?;
        for (place, (reason, shots)) in self.missed_by_reason.iter().enumerate() {
            let before = if place == 0 { ": " } else { ", " };
            write!(f, "{before}{shots} {}", reason.word())?;
        }
        writeln!(f)?;
        write!(f, "Inspected   {}", self.inspected)?;
        if self.inspections_waiting > 0 {
            write!(f, ", {} wait", self.inspections_waiting)?;
        }
        if self.inspections_given_up > 0 {
            write!(f, ", {} given up", self.inspections_given_up)?;
        }
        if let Some(insects) = self.last_capture_insects {
            write!(f, "; {insects} insects on the last picture")?;
        }
        writeln!(f)?;
        if let Some(count) = self.arrivals_today {
            writeln!(f, "Arrivals    today (UTC): {}", arrivals_words(count))?;
        }
        if let Some(look) = &self.last_look {
            writeln!(f, "Last look   {} of {} tiles", look.tiles_run, look.tiles)?;
        }
        self.write_model(f)?;
        if let Some(update) = &self.update {
            let words = update_words(&update.state);
            let since = self.ago(update.since_ms);
            writeln!(f, "Update      {} {words} ({since})", update.version)?;
        }
        self.write_server(f)?;
        self.write_card(f)?;
        self.write_power(f)?;
        for fault in &self.faults {
            let since = self.ago(fault.since_ms);
            writeln!(
                f,
                "FAULT       {}: {} (since {since})",
                fault.part, fault.message
            )?;
        }
        if self.running && self.faults.is_empty() {
            writeln!(f, "Faults      none")?;
        }
        Ok(())
    }
}

impl Status {
    fn note_quality(&mut self, newest: &[Option<PictureQuality>]) {
        self.recent = u64::try_from(newest.len()).unwrap_or(u64::MAX);
        for flaw in newest.iter().flatten().flat_map(|quality| &quality.flaws) {
            *self.poor.entry(*flaw).or_default() += 1;
        }
        let last = newest.first().and_then(Option::as_ref);
        self.last_capture_flaws = last
            .map(|quality| quality.flaws.clone())
            .unwrap_or_default();
    }

    fn write_poor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.poor.is_empty() {
            return Ok(());
        }
        let words = |(flaw, count): (&PictureFlaw, &u64)| format!("{count} {}", flaw.word());
        let poor: Vec<_> = self.poor.iter().map(words).collect();
        write!(
            f,
            "Poor        of the last {}: {}",
            self.recent,
            poor.join(", ")
        )?;
        if !self.last_capture_flaws.is_empty() {
            let last: Vec<_> = self
                .last_capture_flaws
                .iter()
                .map(|flaw| flaw.word())
                .collect();
            write!(f, "; the newest is {}", last.join(" and "))?;
        }
        writeln!(f)
    }

    fn write_model(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(model) = &self.model {
            writeln!(f, "Model       {model}")?;
        }
        if let Some(offer) = &self.model_offer {
            writeln!(
                f,
                "            offered {}: {}",
                offer.id,
                state_words(&offer.state)
            )?;
        }
        if let Some(why) = &self.less_care {
            writeln!(f, "            {why}")?;
        }
        Ok(())
    }

    fn write_server(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(enrolment) = &self.enrolment {
            writeln!(f, "Enrolment   {enrolment}")?;
        }
        let safe = self.pictures_safe + self.pictures_pruned;
        writeln!(
            f,
            "Server      {safe} pictures safe, {} wait ({}), {} records wait",
            self.pictures_waiting,
            megabytes(self.pictures_waiting_bytes),
            self.records_waiting
        )?;
        match (self.last_sync_ms, &self.sync_error) {
            (last, Some(error)) => {
                let last = last.map_or("never in this run".to_owned(), |ms| self.ago(ms));
                writeln!(f, "            last contact {last}; now: {error}")
            }
            (Some(last_ms), None) => writeln!(f, "            last contact {}", self.ago(last_ms)),
            (None, None) => Ok(()),
        }
    }

    fn write_card(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Card        {} of pictures",
            megabytes(self.pictures_bytes)
        )?;
        if let Some(free_bytes) = self.disk_free_bytes {
            write!(f, ", {} free", megabytes(free_bytes))?;
        }
        if let Some(hours) = self.card_hours_left {
            write!(f, ", full in {}", span(i64::from(hours) * 3_600))?;
        }
        if self.pictures_damaged > 0 {
            write!(f, ", {} pictures damaged", self.pictures_damaged)?;
        }
        writeln!(f)
    }
}

/// How far an update of the whole system is.
#[must_use]
pub fn update_words(state: &UpdateState) -> String {
    match state {
        UpdateState::Fetching {
            done_bytes,
            size_bytes,
        } => format!("is fetched, {} %", done_bytes * 100 / (*size_bytes).max(1)),
        UpdateState::Ready => "is here and waits to be installed".to_owned(),
        UpdateState::Installed => "is installed and proves itself at the next start".to_owned(),
        UpdateState::Confirmed => "proved itself".to_owned(),
        UpdateState::Refused { reason } => format!("was refused: {reason}"),
        UpdateState::Returned { reason } => {
            format!("did not prove itself, the system before it runs: {reason}")
        }
    }
}

/// "14 arrivals (12–17)"; without the bounds where there is no doubt.
fn arrivals_words(count: Count) -> String {
    let Count { counted, low, high } = count;
    let noun = if counted == 1 { "arrival" } else { "arrivals" };
    if low == high {
        format!("{counted} {noun}")
    } else {
        format!("{counted} {noun} ({low}–{high})")
    }
}

/// How the newest capture that was looked at was looked at.
fn last_look(view: &View) -> anyhow::Result<Option<LookFacts>> {
    let Some(followed) = view.followed()? else {
        return Ok(None);
    };
    let inspections = view.inspections(followed.capture)?;
    Ok(inspections
        .into_iter()
        .rev()
        .find_map(|row| match row.record.outcome {
            InspectionOutcome::Seen { look, .. } => look,
            InspectionOutcome::GaveUp { .. } => None,
        }))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
