//! What is told of the spot is kept as it was told, over restarts, and is bounded.

use crate::trap::{Trap, jpeg, stamp};
use trapline_store::{DeploymentFacts, Place, PlaceSource, SPOT_BYTES_MAX, StoreError};

fn orchard() -> DeploymentFacts {
    DeploymentFacts {
        site: "North orchard".to_owned(),
        bait: "pheromone".to_owned(),
        notes: "two lines\nof notes".to_owned(),
        technician: "Jo".to_owned(),
        height_cm: Some(150),
        facing_deg: Some(90),
        place: Some(Place {
            latitude: -33.9,
            longitude: 18.4,
            accuracy_m: Some(12.5),
            source: PlaceSource::Phone,
        }),
    }
}

#[test]
fn each_time_it_is_told_is_a_row_that_stays() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    assert_eq!(ledger.deployments(10).unwrap(), []);
    let photo = jpeg(7);
    let first = ledger.record_deployment(&orchard(), Some(&photo), &stamp(1));
    let bare = DeploymentFacts {
        site: "South hedge".to_owned(),
        ..DeploymentFacts::default()
    };
    let second = ledger.record_deployment(&bare, None, &stamp(2));
    assert_eq!((first.unwrap(), second.unwrap()), (1, 2));
    drop(ledger);
    let (ledger, _) = trap.open().unwrap();
    let told = ledger.deployments(10).unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0].facts, told[0].photo_bytes), (&bare, None));
    assert_eq!((&told[1].facts, &told[1].stamp), (&orchard(), &stamp(1)));
    let photo_bytes = u64::try_from(photo.len()).unwrap();
    assert_eq!(told[1].photo_bytes, Some(photo_bytes));
    assert_eq!(ledger.spot_photo(1).unwrap(), Some(photo));
    assert_eq!(ledger.spot_photo(2).unwrap(), None);
    assert_eq!(ledger.spot_photo(3).unwrap(), None);
}

#[test]
fn what_is_too_large_or_no_number_stays_out() {
    let mut trap = Trap::new();
    let (mut ledger, _) = trap.open().unwrap();
    let large = vec![0; SPOT_BYTES_MAX + 1];
    let refused = ledger.record_deployment(&orchard(), Some(&large), &stamp(1));
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    let nowhere = DeploymentFacts {
        place: orchard().place.map(|place| Place {
            latitude: f64::NAN,
            ..place
        }),
        notes: "x".repeat(10_000),
        ..orchard()
    };
    ledger.record_deployment(&nowhere, None, &stamp(2)).unwrap();
    let told = ledger.deployments(1).unwrap();
    assert_eq!(told[0].facts.place, None);
    assert!(told[0].facts.notes.len() < 1_000);
}
