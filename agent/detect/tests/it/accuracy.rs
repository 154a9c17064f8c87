//! The shipped detector on real cards, where the photographs are at hand.

use std::path::Path;

use trapline_detect::evaluate::{Tally, read_coco};
use trapline_detect::{Detector, Limits, jpeg};

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/sticky-traps"
);

#[test]
fn most_insects_of_three_real_cards_are_found() {
    let data = Path::new(DATA);
    let Ok(coco) = std::fs::read_to_string(data.join("val.json")) else {
        println!("skipped: no photographs in ../shared/data/sticky-traps");
        return;
    };
    let detector = Detector::embedded().unwrap();
    let mut tally = Tally::default();
    for photograph in read_coco(&coco).unwrap().iter().step_by(9) {
        let bytes = std::fs::read(data.join(&photograph.file_name)).unwrap();
        let picture = jpeg::decode(&bytes, &Limits::default()).unwrap();
        tally.add(&photograph.drawn, &detector.detect(&picture).unwrap());
    }
    let figures = tally.at(detector.model().thresholds.score);
    println!(
        "AP50 {:.3}, at the shown threshold {figures:?}",
        tally.average_precision()
    );
    assert!(
        tally.average_precision() > 0.7,
        "AP50 {:.3}",
        tally.average_precision()
    );
    assert!(figures.f1() > 0.65, "{figures:?}");
}
