//! What becomes of a camera's picture on its way into the ledger: the note in its
//! file, what it is worth, and the fault when several are poor.

use crate::devices::{Shot, detector, jpeg};
use crate::stages::Trap;
use trapline_store::{CaptureRow, OsDisk, View};
use trapline_wire::Sha256;
use trapline_wire::v1::{PictureFlaw, ShotCause};

/// A card with insects on it, in this much light.
fn card(light: f32) -> Vec<u8> {
    let (width, height) = (320, 240);
    let pixel = |x: u16, y: u16| {
        let is_insect = x % 40 < 12 && y % 40 < 8;
        let luma = if is_insect {
            30.0
        } else {
            190.0 - f32::from(x % 7)
        };
        let value = luma * light;
        // Within a byte for every light that these tests ask for.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "see above"
        )]
        let value = value.clamp(0.0, 255.0) as u8;
        [value, value, value / 2]
    };
    let rgb: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| pixel(x, y))
        .collect();
    let mut file = Vec::new();
    jpeg_encoder::Encoder::new(&mut file, 90)
        .encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    file
}

fn rows(trap: &Trap) -> Vec<CaptureRow> {
    let view = View::open(trap.folder.path(), std::sync::Arc::new(OsDisk)).unwrap();
    view.captures(None, 100).unwrap()
}

fn shots(lights: &[f32]) -> Vec<Shot> {
    lights
        .iter()
        .map(|light| Shot::Gives(card(*light)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn poor_pictures_are_marked_and_then_a_fault() {
    let mut trap = Trap::new(Vec::new());
    // Nobody looks for insects here, and the pictures are measured all the same.
    trap.settings.push_str("[detector]\nenabled = false\n");
    let agent = trap.agent(shots(&[1.0, 0.1, 0.1, 1.0, 0.1]), detector(Vec::new()));
    trap.runs(290, agent).await;
    let flaws: Vec<_> = rows(&trap)
        .iter()
        .map(|row| row.record.flaws().to_vec())
        .collect();
    let dark = vec![PictureFlaw::Dark];
    assert_eq!(flaws, [vec![], dark.clone(), dark.clone(), vec![], dark]);
    let is_told = |trap: &Trap| {
        let held = trap.uplink.held.lock().unwrap();
        let faults = held.heartbeats.last().unwrap().faults.clone();
        faults
            .into_iter()
            .find(|fault| fault.part == "picture_quality")
    };
    assert_eq!(is_told(&trap), None);
    // Two more in a row, after a restart: with the one before they are three.
    trap.runs(110, trap.agent(shots(&[0.1, 0.1]), detector(Vec::new())))
        .await;
    let fault = is_told(&trap).unwrap();
    assert!(
        fault.message.contains("dark: is the lamp on?"),
        "{}",
        fault.message
    );
    trap.runs(50, trap.agent(shots(&[1.0]), detector(Vec::new())))
        .await;
    assert_eq!(is_told(&trap), None);
    let held = trap.uplink.held.lock().unwrap();
    assert_eq!(held.captures.len(), rows(&trap).len());
    for row in rows(&trap) {
        assert_eq!(
            held.captures[&row.record.id.to_string()],
            row.record.picture.sha256
        );
        assert_eq!(row.record.cause, Some(ShotCause::Schedule));
    }
}

#[tokio::test(start_paused = true)]
async fn the_file_that_is_kept_and_sent_names_its_capture() {
    let mut trap = Trap::new(Vec::new());
    trap.settings
        .insert_str(0, "[trap]\nlatitude = \"47.5\"\nlongitude = \"-8.25\"\n");
    let torn = card(1.0)[..200].to_vec();
    let mut shots = shots(&[1.0, 0.9]);
    shots.push(Shot::Gives(torn.clone()));
    trap.runs(170, trap.agent(shots, detector(Vec::new())))
        .await;
    let rows = rows(&trap);
    let held = trap.uplink.held.lock().unwrap();
    for row in &rows[..2] {
        let file = &held.pictures[&row.record.picture.sha256];
        assert_eq!(Sha256::of(file), row.record.picture.sha256);
        let noted = exif::Reader::new()
            .read_from_container(&mut std::io::Cursor::new(file))
            .unwrap();
        let said = |tag| {
            let field = noted.get_field(tag, exif::In::PRIMARY).unwrap();
            field.display_value().to_string()
        };
        assert_eq!(
            said(exif::Tag::ImageUniqueID),
            format!("\"{}\"", row.record.id)
        );
        assert_eq!(said(exif::Tag::GPSLongitude), "8 deg 15 min 0 sec");
    }
    let last = &rows[2].record;
    assert_eq!(last.picture.sha256, Sha256::of(&torn), "kept as it came");
    assert_eq!(last.quality, None);
}

#[tokio::test(start_paused = true)]
async fn pictures_that_show_nothing_are_said_to() {
    let trap = Trap::new(Vec::new());
    let covered = (1..=3).map(|shade| Shot::Gives(jpeg(shade))).collect();
    trap.runs(170, trap.agent(covered, detector(Vec::new())))
        .await;
    let held = trap.uplink.held.lock().unwrap();
    let faults = &held.heartbeats.last().unwrap().faults;
    let fault = faults
        .iter()
        .find(|fault| fault.part == "picture_quality")
        .unwrap();
    assert!(
        fault.message.contains("take the cover off the lens"),
        "{}",
        fault.message
    );
}
