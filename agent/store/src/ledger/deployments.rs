//! Where the trap stands, as the technician told it on the trap's own page.

use crate::error::StoreError;
use crate::ledger::rows::parse_word;
use crate::ledger::text::{clip, clip_stamp, measured};
use crate::ledger::{Ledger, View};
use rusqlite::types::Type;
use rusqlite::{Error, Row, params};
use trapline_wire::v1::{ClockQuality, Stamp};

/// Bytes of a photograph of the spot.
pub const SPOT_BYTES_MAX: usize = 3_000_000;

/// What somebody who hung a trap told of it; an empty text was not told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeploymentFacts {
    /// What people call the spot.
    pub site: String,
    /// What draws the insects.
    pub bait: String,
    /// Anything else.
    pub notes: String,
    /// Who was there.
    pub technician: String,
    /// How high the card hangs over the ground, in centimetres.
    pub height_cm: Option<u32>,
    /// Where the card faces: 0 is north, 90 east, in degrees, below 360.
    pub facing_deg: Option<u32>,
    /// Where it is.
    pub place: Option<Place>,
}

/// A place on Earth, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Degrees north of the equator, −90 to 90.
    pub latitude: f64,
    /// Degrees east of Greenwich, −180 to 180.
    pub longitude: f64,
    /// How far off it may be, in metres, where somebody said so.
    pub accuracy_m: Option<f64>,
    /// Who said so.
    pub source: PlaceSource,
}

/// Who told a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceSource {
    /// The phone's own receiver.
    Phone,
    /// Somebody typed it.
    Typed,
}

impl PlaceSource {
    /// Its word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Typed => "typed",
        }
    }
}

/// One deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its number in this ledger, from 1.
    pub seq: u64,
    /// When it was told.
    pub stamp: Stamp,
    /// What was told.
    pub facts: DeploymentFacts,
    /// Size of the photograph of the spot; `None` when there is none.
    pub photo_bytes: Option<u64>,
}

impl Ledger {
    /// Keeps what was told of the spot, with a JPEG of it, over power cuts; returns its number.
    ///
    /// # Errors
    /// [`Refused`](StoreError::Refused) when the photograph is larger than [`SPOT_BYTES_MAX`],
    /// [`Full`](StoreError::Full) or [`Io`](StoreError::Io) when the card refuses.
    pub fn record_deployment(
        &mut self,
        facts: &DeploymentFacts,
        photo: Option<&[u8]>,
        now: &Stamp,
    ) -> Result<u64, StoreError> {
        if let Some(photo) = photo.filter(|photo| photo.len() > SPOT_BYTES_MAX) {
            return Err(StoreError::Refused {
                what: "the photograph of the spot".to_owned(),
                reason: format!("{} bytes; at most {SPOT_BYTES_MAX}", photo.len()),
            });
        }
        let now = clip_stamp(now);
        let place = facts.place.filter(|place| {
            measured(Some(place.latitude)).is_some() && measured(Some(place.longitude)).is_some()
        });
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO deployments (unix_ms, clock, boot_id, uptime_ms, site, bait, notes,
                     technician, height_cm, facing_deg, latitude, longitude, accuracy_m,
                     place_from, photo)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                params![
                    now.unix_ms,
                    now.quality.word(),
                    now.boot_id,
                    now.uptime_ms,
                    clip(&facts.site),
                    clip(&facts.bait),
                    clip(&facts.notes),
                    clip(&facts.technician),
                    facts.height_cm,
                    facts.facing_deg,
                    place.map(|place| place.latitude),
                    place.map(|place| place.longitude),
                    measured(place.and_then(|place| place.accuracy_m)),
                    place.map(|place| place.source.word()),
                    photo,
                ],
            )?;
            Ok(u64::try_from(transaction.last_insert_rowid()).unwrap_or(0))
        })
    }
}

impl View {
    /// Up to `limit` deployments, the newest first.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn deployments(&self, limit: u32) -> Result<Vec<Deployment>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT seq, unix_ms, clock, boot_id, uptime_ms, site, bait, notes, technician,
                        height_cm, facing_deg, latitude, longitude, accuracy_m, place_from,
                        length(photo)
                 FROM deployments ORDER BY seq DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([limit], deployment)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The place that was told last; `None` while nobody told one.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn last_place(&self) -> Result<Option<Place>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT seq, unix_ms, clock, boot_id, uptime_ms, site, bait, notes, technician,
                        height_cm, facing_deg, latitude, longitude, accuracy_m, place_from,
                        length(photo)
                 FROM deployments WHERE place_from IS NOT NULL ORDER BY seq DESC LIMIT 1",
            )?;
            let mut rows = statement.query_map([], deployment)?;
            Ok(rows.next().transpose()?.and_then(|told| told.facts.place))
        })
    }

    /// The photograph of the spot of a deployment, a JPEG; `None` when there is none.
    ///
    /// # Errors
    /// [`Io`](StoreError::Io) or [`Corrupt`](StoreError::Corrupt).
    pub fn spot_photo(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT photo FROM deployments WHERE seq = ?1")?;
            let mut rows = statement.query([seq])?;
            match rows.next()? {
                Some(row) => Ok(row.get(0)?),
                None => Ok(None),
            }
        })
    }
}

fn deployment(row: &Row<'_>) -> Result<Deployment, Error> {
    let (latitude, longitude): (Option<f64>, Option<f64>) = (row.get(11)?, row.get(12)?);
    let source: Option<String> = row.get(14)?;
    let place = match (latitude, longitude, source.as_deref()) {
        (Some(latitude), Some(longitude), Some(source)) => Some(Place {
            latitude,
            longitude,
            accuracy_m: row.get(13)?,
            source: match source {
                "phone" => PlaceSource::Phone,
                "typed" => PlaceSource::Typed,
                other => {
                    let why = format!("nobody tells a place as {other:?}");
                    return Err(Error::FromSqlConversionFailure(14, Type::Text, why.into()));
                }
            },
        }),
        _ => None,
    };
    Ok(Deployment {
        seq: row.get(0)?,
        stamp: Stamp {
            unix_ms: row.get(1)?,
            quality: parse_word(row, 2, ClockQuality::from_word)?,
            boot_id: row.get(3)?,
            uptime_ms: row.get(4)?,
        },
        facts: DeploymentFacts {
            site: row.get(5)?,
            bait: row.get(6)?,
            notes: row.get(7)?,
            technician: row.get(8)?,
            height_cm: row.get(9)?,
            facing_deg: row.get(10)?,
            place,
        },
        photo_bytes: row.get(15)?,
    })
}
