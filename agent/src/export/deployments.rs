//! Where the trap stood, as technicians told it, and their photographs of the spot.

use super::optional;
use super::table::{Table, part_of, put_in_place};
use crate::moment::utc_text;
use anyhow::Context as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use trapline_store::{Deployment, View};

/// More than a trap is ever hung up.
const DEPLOYMENTS_MAX: u32 = 100_000;
const PHOTOS: &str = "spots";

pub(super) fn export(view: &View, dir: &Path) -> anyhow::Result<()> {
    let mut table = Table::new(
        dir,
        "deployments.csv",
        &[
            "deployment",
            "time_utc",
            "unix_ms",
            "clock",
            "site",
            "bait",
            "height_cm",
            "facing_deg",
            "latitude",
            "longitude",
            "accuracy_m",
            "place_from",
            "technician",
            "notes",
            "photo",
        ],
    )?;
    // The newest come first out of the ledger, and last into the table.
    for deployment in view.deployments(DEPLOYMENTS_MAX)?.iter().rev() {
        let photo = export_photo(view, dir, deployment)?;
        table.row(&row(deployment, photo))?;
    }
    table.finish()
}

fn row(deployment: &Deployment, photo: String) -> [String; 15] {
    let Deployment { stamp, facts, .. } = deployment;
    let place = facts.place;
    [
        deployment.seq.to_string(),
        utc_text(stamp.unix_ms),
        stamp.unix_ms.to_string(),
        stamp.quality.word().to_owned(),
        facts.site.clone(),
        facts.bait.clone(),
        optional(facts.height_cm),
        optional(facts.facing_deg),
        optional(place.map(|place| place.latitude)),
        optional(place.map(|place| place.longitude)),
        optional(place.and_then(|place| place.accuracy_m)),
        optional(place.map(|place| place.source.word())),
        facts.technician.clone(),
        facts.notes.clone(),
        photo,
    ]
}

/// Writes the photograph, and gives its path within the export; empty where there is none.
fn export_photo(view: &View, dir: &Path, deployment: &Deployment) -> anyhow::Result<String> {
    if deployment.photo_bytes.is_none() {
        return Ok(String::new());
    }
    let Some(jpeg) = view.spot_photo(deployment.seq)? else {
        return Ok(String::new());
    };
    let name = format!("{PHOTOS}/{}-{:04}.jpg", view.id(), deployment.seq);
    let path = dir.join(&name);
    let failed = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(dir.join(PHOTOS)).with_context(failed)?;
    let mut file = File::create(part_of(&path)).with_context(failed)?;
    file.write_all(&jpeg).with_context(failed)?;
    put_in_place(&file, &path)?;
    Ok(name)
}
