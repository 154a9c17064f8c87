//! Time and place from the phone: the clock of a trap that nobody trusts, and
//! where the trap stands.

use super::answer::{Refused, json, read_json, sent};
use super::hall::Hall;
use super::smaller::Wish;
use crate::moment::{utc_text, wire_stamp};
use crate::sun;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use trapline_hal::ClockQuality;
use trapline_store::{Deployment, DeploymentFacts, Place, PlaceSource, SPOT_BYTES_MAX};
use trapline_wire::limits::TEXT_BYTES_MAX;
use trapline_wire::v1::Stamp;

const TIME_BYTES_MAX: usize = 1_000;
/// The photograph in Base64, and the words.
const FORM_BYTES_MAX: usize = SPOT_BYTES_MAX / 3 * 4 + 16_000;
/// The page makes photographs smaller than this before it sends them.
const SPOT_PIXELS_MAX: u64 = 9_000_000;
const LISTED: u32 = 10;
/// 2024 to 2100: outside of it a phone's clock was never set.
const TRUE_TIMES_MS: std::ops::Range<i64> = 1_704_067_200_000..4_102_444_800_000;
/// How the clock was last set by a phone, kept for whoever asks why stamps jump.
const META_SET_BY_PHONE: &str = "clock_set_by_phone";

/// Whether a phone may know better.
pub(super) fn is_doubtful(quality: ClockQuality) -> bool {
    matches!(quality, ClockQuality::Unset | ClockQuality::Restored)
}

#[derive(Deserialize)]
struct PhoneTime {
    unix_ms: i64,
}

/// `POST /api/time`: sets the clock, if nothing better than a phone has set it.
pub(super) async fn set_clock(
    State(hall): State<Arc<Hall>>,
    body: Body,
) -> Result<Response, Refused> {
    let PhoneTime { unix_ms } = read_json(body, TIME_BYTES_MAX).await?;
    if !TRUE_TIMES_MS.contains(&unix_ms) {
        return Err(Refused::wrong("the phone's own clock is not set"));
    }
    let before = hall.desk.clock.stamp();
    if !is_doubtful(before.quality) {
        let message = "the trap's clock is confirmed by its battery-backed clock or the network, \
                       and is left as it is";
        return Err(Refused::new(StatusCode::CONFLICT, message));
    }
    let clock = Arc::clone(&hall.desk.clock);
    hall.desk
        .hands
        .run(move || clock.set(unix_ms))
        .await?
        .map_err(|error| Refused::trouble(clock_words(&error)))?;
    let after = hall.desk.clock.stamp();
    let (from, to) = (utc_text(before.unix_ms), utc_text(unix_ms));
    log::info!("a phone set the clock from {from} to {to}");
    let kept = format!("{from} -> {to}");
    let books = &hall.desk.books;
    books
        .with(move |ledger| ledger.set_meta(META_SET_BY_PHONE, &kept))
        .await?;
    hall.desk.wakes.capture.notify_one();
    Ok(json(&wire_stamp(&after)))
}

fn clock_words(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        format!(
            "the agent may not set the clock: the rule for polkit that comes with its service, and \
             `trapline-clock@.service`, are needed ({error})"
        )
    } else {
        format!("the clock cannot be set: {error}")
    }
}

#[derive(Serialize)]
struct Told {
    seq: u64,
    stamp: Stamp,
    site: String,
    bait: String,
    notes: String,
    technician: String,
    height_cm: Option<u32>,
    facing_deg: Option<u32>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    accuracy_m: Option<f64>,
    place_from: Option<&'static str>,
    photo_bytes: Option<u64>,
}

impl From<Deployment> for Told {
    fn from(deployment: Deployment) -> Self {
        let facts = deployment.facts;
        Self {
            seq: deployment.seq,
            stamp: deployment.stamp,
            site: facts.site,
            bait: facts.bait,
            notes: facts.notes,
            technician: facts.technician,
            height_cm: facts.height_cm,
            facing_deg: facts.facing_deg,
            latitude: facts.place.map(|place| place.latitude),
            longitude: facts.place.map(|place| place.longitude),
            accuracy_m: facts.place.and_then(|place| place.accuracy_m),
            place_from: facts.place.map(|place| place.source.word()),
            photo_bytes: deployment.photo_bytes,
        }
    }
}

/// `GET /api/deployments`: the newest first.
pub(super) async fn deployments(State(hall): State<Arc<Hall>>) -> Result<Response, Refused> {
    let all = hall.read(|view| view.deployments(LISTED)).await?;
    let all: Vec<Told> = all.into_iter().map(Told::from).collect();
    Ok(json(&all))
}

/// `GET /api/deployments/{seq}/photo`: a JPEG.
pub(super) async fn photo(
    State(hall): State<Arc<Hall>>,
    Path(seq): Path<String>,
) -> Result<Response, Refused> {
    let seq: u32 = seq.parse().map_err(|_| Refused::unknown())?;
    let photo = hall.read(move |view| view.spot_photo(seq.into())).await?;
    Ok(sent(photo.ok_or_else(Refused::unknown)?, "image/jpeg"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    site: String,
    #[serde(default)]
    bait: String,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    technician: String,
    height_cm: Option<u32>,
    facing_deg: Option<u32>,
    place: Option<FormPlace>,
    /// A JPEG in Base64.
    photo: Option<String>,
}

#[derive(Deserialize)]
struct FormPlace {
    latitude: f64,
    longitude: f64,
    accuracy_m: Option<f64>,
    from_phone: bool,
}

/// `POST /api/deployments`: keeps where the trap stands.
pub(super) async fn tell(State(hall): State<Arc<Hall>>, body: Body) -> Result<Response, Refused> {
    let form: Form = read_json(body, FORM_BYTES_MAX).await?;
    let (facts, photo) = form.checked()?;
    let told = facts.place;
    let photo = match photo {
        Some(text) => Some(spot(&hall, &text).await?),
        None => None,
    };
    let now = wire_stamp(&hall.desk.clock.stamp());
    let seq = hall
        .desk
        .books
        .with(move |ledger| ledger.record_deployment(&facts, photo.as_deref(), &now))
        .await?;
    log::info!(deployment = seq; "somebody told where the trap stands");
    if let Some(place) = told {
        hall.desk.timetable.stands_at(sun::Place {
            latitude: place.latitude,
            longitude: place.longitude,
        });
        hall.desk.wakes.capture.notify_one();
    }
    let newest = hall.read(|view| view.deployments(1)).await?;
    let newest: Vec<Told> = newest.into_iter().map(Told::from).collect();
    Ok(json(&newest))
}

/// The photograph, checked from its first byte to its last.
async fn spot(hall: &Hall, text: &str) -> Result<Vec<u8>, Refused> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| Refused::wrong(format!("the photograph is no Base64: {error}")))?;
    if bytes.len() > SPOT_BYTES_MAX {
        let message = format!(
            "the photograph has more than {} MB",
            SPOT_BYTES_MAX / 1_000_000
        );
        return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let wish = Wish::Check {
        pixels_max: SPOT_PIXELS_MAX,
    };
    let checked = hall.smaller(wish, bytes.clone()).await;
    checked
        .map_err(|why| Refused::wrong(format!("the photograph cannot be used: {}", why.words())))?;
    Ok(bytes)
}

impl Form {
    fn checked(self) -> Result<(DeploymentFacts, Option<String>), Refused> {
        let texts = [
            ("the site", &self.site),
            ("the bait", &self.bait),
            ("the notes", &self.notes),
            ("the technician's name", &self.technician),
        ];
        for (what, text) in texts {
            let is_odd = |c: char| c.is_control() && c != '\n' && c != '\r';
            if text.len() > TEXT_BYTES_MAX || text.contains(is_odd) {
                return Err(Refused::wrong(format!(
                    "{what} needs printable characters, at most {TEXT_BYTES_MAX} bytes"
                )));
            }
        }
        if self.site.trim().is_empty() {
            return Err(Refused::wrong("give the site a name"));
        }
        if self.height_cm.is_some_and(|cm| cm > 10_000) {
            return Err(Refused::wrong("the height needs 0 to 10000 cm"));
        }
        if self.facing_deg.is_some_and(|deg| deg >= 360) {
            return Err(Refused::wrong("the card faces 0 to 359 degrees"));
        }
        let place = self.place.map(FormPlace::checked).transpose()?;
        let facts = DeploymentFacts {
            site: self.site.trim().to_owned(),
            bait: self.bait.trim().to_owned(),
            notes: self.notes.trim().to_owned(),
            technician: self.technician.trim().to_owned(),
            height_cm: self.height_cm,
            facing_deg: self.facing_deg,
            place,
        };
        Ok((facts, self.photo))
    }
}

impl FormPlace {
    fn checked(self) -> Result<Place, Refused> {
        let is_right = (-90.0..=90.0).contains(&self.latitude)
            && (-180.0..=180.0).contains(&self.longitude)
            && self.accuracy_m.is_none_or(|m| (0.0..1e7).contains(&m));
        if !is_right {
            return Err(Refused::wrong(
                "a place needs degrees of latitude, -90 to 90, and longitude, -180 to 180",
            ));
        }
        Ok(Place {
            latitude: self.latitude,
            longitude: self.longitude,
            accuracy_m: self.accuracy_m,
            source: if self.from_phone {
                PlaceSource::Phone
            } else {
                PlaceSource::Typed
            },
        })
    }
}
