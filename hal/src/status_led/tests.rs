//! The vocabulary can be told apart, and plays as it is described.

use super::*;

/// The lit and dark times of the first `count` steps.
fn steps(pattern: Pattern, count: usize) -> Vec<(bool, u32)> {
    let mut shown_ms = 0;
    let mut steps = Vec::new();
    while steps.len() < count {
        let moment = pattern.at(shown_ms);
        let for_ms = moment.for_ms.unwrap();
        steps.push((moment.lit, for_ms));
        shown_ms += u64::from(for_ms);
    }
    steps
}

#[test]
fn a_count_is_blinks_and_a_pause_again_and_again() {
    let two = steps(Pattern::Counted { blinks: 2 }, 6);
    let wanted = [
        (true, 200),
        (false, 300),
        (true, 200),
        (false, 2_300),
        (true, 200),
        (false, 300),
    ];
    assert_eq!(two, wanted);
    let one = steps(Pattern::Counted { blinks: 1 }, 3);
    assert_eq!(one, [(true, 200), (false, 2_300), (true, 200)]);
}

#[test]
fn sparks_and_even_blinks() {
    let spark = steps(Pattern::Spark { every_ms: 5_000 }, 3);
    assert_eq!(spark, [(true, 30), (false, 4_970), (true, 30)]);
    let even = steps(Pattern::Even { each_ms: 500 }, 3);
    assert_eq!(even, [(true, 500), (false, 500), (true, 500)]);
    let steady = Pattern::Steady.at(77);
    assert_eq!((steady.lit, steady.for_ms), (true, None));
}

#[test]
fn every_moment_ends_when_it_says() {
    for signal in Signal::ALL {
        let pattern = signal.pattern();
        for shown_ms in 0..12_000 {
            let Some(for_ms) = pattern.at(shown_ms).for_ms else {
                continue;
            };
            let next = pattern.at(shown_ms + u64::from(for_ms));
            assert_ne!(next.lit, pattern.at(shown_ms).lit, "{signal} at {shown_ms}");
            let still = pattern.at(shown_ms + u64::from(for_ms) - 1);
            assert_eq!(
                still.lit,
                pattern.at(shown_ms).lit,
                "{signal} at {shown_ms}"
            );
        }
    }
}

#[test]
fn the_most_important_is_shown() {
    let several = [Signal::Well, Signal::BatteryLow, Signal::NoCamera];
    assert_eq!(Signal::shown(several), Signal::NoCamera);
    assert_eq!(Signal::shown([]), Signal::Well);
    assert!(Signal::ALL.is_sorted());
}

#[test]
fn no_two_look_alike_and_the_table_has_them_all() {
    let table = markdown_table();
    for signal in Signal::ALL {
        let words = signal.pattern().to_string();
        let alike = Signal::ALL.map(|other| other.pattern().to_string() == words);
        assert_eq!(alike.iter().filter(|same| **same).count(), 1, "{words}");
        assert!(table.contains(&format!("| {words} | {} |", signal.meaning())));
    }
    assert_eq!(table.lines().count(), 2 + Signal::ALL.len());
    assert!(table.contains("| 3 blinks, a pause | the card is full | fetch the pictures"));
}

#[test]
fn the_field_guide_has_this_vocabulary() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/FIELD-GUIDE.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let table = markdown_table();
    assert!(guide.contains(&table), "put this into the guide:\n{table}");
}
