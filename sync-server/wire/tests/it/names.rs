//! Ids, digests and keys as text.

use proptest::prelude::*;
use trapline_wire::key::BadKey;
use trapline_wire::{CaptureId, EffortId, LedgerId, ReadingId, Sha256, TrapId, TrapKey};

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

proptest! {
    #[test]
    fn ids_survive_being_written_and_read(ledger: u32, seq: u64) {
        let ledger = LedgerId(ledger);
        prop_assert_eq!(ledger.to_string().parse(), Ok(ledger));
        let capture = CaptureId::new(ledger, seq);
        prop_assert_eq!(capture.to_string().parse(), Ok(capture));
        let effort = EffortId::new(ledger, seq);
        prop_assert_eq!(effort.to_string().parse(), Ok(effort));
        let reading = ReadingId::new(ledger, seq);
        let json = serde_json::to_string(&reading).unwrap();
        prop_assert_eq!(serde_json::from_str::<ReadingId>(&json).unwrap(), reading);
    }

    #[test]
    fn ids_of_one_ledger_sort_as_they_were_numbered(ledger: u32, a in 1..99_999_999_u64, b in 1..99_999_999_u64) {
        let name = |seq| CaptureId::new(LedgerId(ledger), seq).to_string();
        prop_assert_eq!(name(a).cmp(&name(b)), a.cmp(&b));
    }

    #[test]
    fn no_text_is_a_second_spelling_of_an_id(text in "[0-9a-fA-F]{8}-[+0]{0,3}[0-9]{1,20}") {
        if let Ok(id) = text.parse::<CaptureId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn no_text_makes_a_name_panic(text in ".{0,90}") {
        // Whatever is read as a name is spelled the same again.
        if let Ok(trap) = text.parse::<TrapId>() {
            prop_assert_eq!(trap.to_string(), text.clone());
        }
        if let Ok(digest) = text.parse::<Sha256>() {
            prop_assert_eq!(digest.to_string(), text.to_lowercase());
        }
        prop_assert!(text.parse::<TrapKey>().is_err());
    }

    #[test]
    fn digests_survive_being_written_and_read(bytes: [u8; 32]) {
        let digest = Sha256::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        prop_assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
    }

    #[test]
    fn a_key_notices_any_single_mistyped_character(
        random: [u8; 25], place in 6..53_usize, letter in 0..32_usize,
    ) {
        let key = TrapKey::from_random(&random);
        let mut typed = key.reveal().as_bytes().to_vec();
        if typed[place] == b'_' || typed[place] == ALPHABET[letter] {
            return Ok(());
        }
        typed[place] = ALPHABET[letter];
        let typed = String::from_utf8(typed).unwrap();
        prop_assert_eq!(typed.parse::<TrapKey>(), Err(BadKey::Checksum));
    }

    #[test]
    fn a_key_notices_a_lost_and_a_doubled_character(random: [u8; 25], place in 0..53_usize) {
        let key = TrapKey::from_random(&random).reveal().to_owned();
        let mut lost = key.clone();
        lost.remove(place);
        prop_assert!(lost.parse::<TrapKey>().is_err());
        let mut doubled = key.clone();
        doubled.insert(place, key.as_bytes()[place].into());
        prop_assert!(doubled.parse::<TrapKey>().is_err());
    }

    #[test]
    fn a_key_notices_two_exchanged_characters(random: [u8; 25], place in 6..52_usize) {
        let key = TrapKey::from_random(&random);
        let mut typed = key.reveal().as_bytes().to_vec();
        typed.swap(place, place + 1);
        if typed == key.reveal().as_bytes() {
            return Ok(());
        }
        prop_assert!(String::from_utf8(typed).unwrap().parse::<TrapKey>().is_err());
    }
}

#[test]
fn every_single_mistyped_character_of_one_key_is_noticed() {
    let key = TrapKey::from_random(&[0x5a; 25]);
    let text = key.reveal();
    assert_eq!(text.parse::<TrapKey>().unwrap(), key);
    for place in 0..text.len() {
        for wrong in 0x20..0x7f_u8 {
            let mut typed = text.as_bytes().to_vec();
            if typed[place] == wrong {
                continue;
            }
            typed[place] = wrong;
            let typed = String::from_utf8(typed).unwrap();
            assert!(typed.parse::<TrapKey>().is_err(), "{typed}");
        }
    }
}

#[test]
fn a_key_never_prints_its_secret() {
    let key = TrapKey::from_random(&[7; 25]);
    for text in [format!("{key}"), format!("{key:?}")] {
        assert!(text.contains(key.trap().as_str()));
        assert!(!text.contains(&key.reveal()[15..25]), "{text}");
    }
}
