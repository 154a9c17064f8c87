//! What technicians' editors and fingers make of the file.

use super::*;
use crate::config::raw::Value;
use trapline_wire::EnrolToken;

const TEMPLATE: &str = include_str!("../../../../image/trapline.toml");

fn base() -> Base {
    Base::new(None).unwrap()
}

fn right(text: &str) -> Card {
    read(text.as_bytes(), &base()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn wrong(bytes: impl AsRef<[u8]>) -> String {
    let problems = read(bytes.as_ref(), &base()).unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    said.join("\n")
}

/// The template with the `#` before each setting taken away.
fn uncommented() -> String {
    let is_setting = |line: &str| line.starts_with(|c: char| c == '[' || c.is_ascii_lowercase());
    let lines = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if is_setting(rest) => rest,
        _ => line,
    });
    let token = EnrolToken::from_random(&[7; 25]);
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("trapt_…", token.reveal())
}

#[test]
fn the_file_as_it_comes_is_a_working_trap() {
    let card = right(TEMPLATE);
    assert_eq!(
        (card.name, card.wifi.len(), card.ssh_keys.len()),
        (None, 0, 0)
    );
    assert!(card.config.server.is_none());
    assert!(card.config.page.listen.is_some());
    Config::from_text("agent.toml", &card.agent_toml).unwrap();
}

#[test]
fn every_setting_of_the_file_is_accepted() {
    let text = uncommented();
    let card = right(&text);
    let settings = TEMPLATE
        .lines()
        .filter(|line| line.starts_with('#') && line.contains(" = "));
    assert!(settings.count() > 20, "the template was read");
    assert_eq!(card.name.as_deref(), Some("orchard-3"));
    assert_eq!(card.country.as_deref(), Some("CH"));
    assert_eq!(card.wifi.len(), 2);
    assert_eq!(card.wifi[1].ssid, "Müllers Hütte");
    assert!(card.wifi[1].hidden);
    assert_eq!(card.ssh_keys.len(), 1);
    let config = Config::from_text("agent.toml", &card.agent_toml).unwrap();
    let place = config.trap.place.unwrap();
    assert!((place.latitude - 47.3769).abs() < 1e-9);
    assert!(config.front.button.is_some());
}

/// `trapline-flash` proves in its tests that it writes this very file.
#[test]
fn the_card_that_was_flashed_is_accepted() {
    let card = right(include_str!(
        "../../../../image/flash/tests/it/personalised.toml"
    ));
    assert_eq!(card.name.as_deref(), Some("Wiese \"Süd\""));
    assert!(card.config.server.is_some());
    assert_eq!(card.wifi[0].password.as_deref(), Some("pass\\word;1"));
    assert!(card.hotspot.password.is_some());
}

#[test]
fn line_ends_marks_and_encodings_of_any_editor_are_read() {
    let text = "[trap]\r\n\tname = \"Wiese Süd\"\r\n[[wifi]]\r\nssid = \"Anna’s Höhle\"\r\n";
    let utf16 = |word: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        let words = text.encode_utf16().flat_map(word);
        mark.into_iter().chain(words).collect::<Vec<u8>>()
    };
    let written = [
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes, [0xff, 0xfe]),
        utf16(u16::to_be_bytes, [0xfe, 0xff]),
    ];
    for bytes in written {
        let card = read(&bytes, &base()).unwrap();
        assert_eq!(card.name.as_deref(), Some("Wiese Süd"));
        assert_eq!(card.wifi[0].ssid, "Anna’s Höhle");
        assert_eq!(card.notes, Vec::<String>::new());
    }
    let latin1 = read(b"[trap]\rname = \"S\xfcd\"\r", &base()).unwrap();
    assert_eq!(latin1.name.as_deref(), Some("Süd"));
    assert_eq!(latin1.notes.len(), 1);
}

#[test]
fn what_is_no_settings_file_is_said() {
    assert!(wrong("").contains("empty"));
    assert!(wrong(b"PK\x03\x04\x00\x00docx").contains("no text"));
    assert!(wrong(vec![b'#'; 5_000_000]).contains("longer than"));
    assert!(wrong(b"\xff\xfea").contains("no text"));
}

/// What somebody wrote, and what of the answer matters.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[trap]\nname = “orchard”\n",
        "trapline.toml:2:8: there is a curled quotation mark “",
    ),
    (
        "[trap]\nname = \"orchard”\n",
        "trapline.toml:2:16: there is a curled quotation mark ”",
    ),
    ("[trap]\nlatitude = 47,3769\n", "write a point: 47.3769"),
    (
        "[trap]\nname = orchard\n",
        "the quotes around the text are missing",
    ),
    ("[trap]\nname = \"orchard\n", "the closing \" is missing"),
    ("[trap]\nname =\n", "there is nothing after the ="),
    ("[trap]\nname \"orchard\"\n", "trapline.toml:2:"),
    ("[trap]\nname\u{a0}= \"x\"\n", "invisible letter"),
    ("[[wifi]]\nssid = \"a\\wb\"\n", "between 'single quotes'"),
    (
        "[trap]\nname = \"a\"\n[trap]\nlatitude = 1\n",
        "for the second time",
    ),
    (
        "[wifi]\nssid = \"a\"\n[wifi]\nssid = \"b\"\n",
        "with two brackets",
    ),
    (
        "[trap]\nlatiude = 47.1\n",
        "trapline.toml:2:1: `latiude` is no setting of [trap]; did you mean `latitude`?",
    ),
    (
        "[trap]\nlatitude = 520\nlongitude = 8.5\n",
        "trapline.toml:2:1: `latitude` needs degrees between -90 and 90, not 520",
    ),
    ("[trap]\nlatitude = 47.5\n", "a place needs both"),
    (
        "[trap]\ntoken = \"x\"\n",
        "did you mean `token` below [server]?",
    ),
    ("name = \"x\"\n", "move it below the line [trap]"),
    ("[schedule]\nevery = \"5m\"\n", "write [agent.schedule]"),
    (
        "[agent.schedule]\nevry = \"5m\"\n",
        "unknown key `agent.schedule.evry`; did you mean `agent.schedule.every`?",
    ),
    (
        "[agent.schedule]\nevery = \"often\"\n",
        "trapline.toml:2: `agent.schedule.every` needs a duration",
    ),
    ("[agent.trap]\nname = \"x\"\n", "write it below [trap]"),
    ("[trap]\ntime_zone = \"Europe/Zurich\"\n", "like \"+02:00\""),
    ("[trap]\ncountry = \"Schweiz\"\n", "needs two letters"),
    (
        "[[wifi]]\nssid = \"a\"\npassword = \"short\"\n",
        "trapline.toml:3:1: a Wi-Fi password has 8 to 63 letters, this one 5",
    ),
    (
        "[[wifi]]\npassword = \"longenough\"\n",
        "this network has no name",
    ),
    (
        "[[wifi]]\nssid = \"a\"\nhiden = true\n",
        "did you mean `hidden`?",
    ),
    (
        "[hotspot]\nuse = \"sometimes\"\n",
        "\"auto\", \"always\" or \"never\"",
    ),
    (
        "[ssh]\nkey = \"-----BEGIN OPENSSH PRIVATE KEY-----\"\n",
        "the private half",
    ),
    ("[ssh]\nkey = \"hello\"\n", "this is no public ssh key"),
    ("wifi = \"Farm\"\n", "write a line [[wifi]]"),
];

#[test]
fn the_mistakes_of_phones_and_fingers_are_named_with_line_and_remedy() {
    for (text, expected) in MISTAKES {
        let said = wrong(text);
        assert!(said.contains(expected), "{text:?}\n{said}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_and_no_secret_with_it() {
    let said = wrong(
        "[trap]\nnme = \"x\"\nlatitude = 520\n[[wifi]]\nssid = \"a\"\npassword = \"secret\"\n[agent.log]\nlevel = \"loud\"\n",
    );
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(!said.contains("secret"), "{said}");
    let card = right("[[wifi]]\nssid = \"a\"\npassword = \"very secret\"\n");
    assert!(!format!("{card:?}").contains("very secret"));
}

#[test]
fn a_kept_file_gives_what_still_holds() {
    let text = b"[trap]\nname = \"a\"\n[[wifi]]\nssid = \"Farm\"\n[agent.gone]\nwith_the_update = 3\n[agent.schedule]\nevery = \"often\"\n";
    assert!(read(text, &base()).is_err());
    let card = read_kept(text, &base()).unwrap();
    assert_eq!(card.wifi.len(), 1);
    assert_eq!(card.name.as_deref(), Some("a"));
    Config::from_text("agent.toml", &card.agent_toml).unwrap();
}

#[test]
fn a_board_may_say_more_and_the_card_has_the_last_word() {
    let board = Base::new(Some("[camera]\nkind = \"uvc\"\n")).unwrap();
    let card = read(b"[agent.camera]\nwidth_px = 640\nheight_px = 480\n", &board).unwrap();
    assert!(
        card.agent_toml.contains("kind = \"uvc\""),
        "{}",
        card.agent_toml
    );
    assert!(card.agent_toml.contains("width_px = 640"));
    assert!(Base::new(Some("[camera]\nkind = \"film\"\n")).is_err());
    let value = Value::Text("\"\\ü\n".to_owned());
    let origin = Origin {
        source: "x".into(),
        line: None,
    };
    let entries = [("trap.name".to_owned(), raw::Entry { value, origin })].into();
    let table: toml::Table = compose::agent_toml(&entries).parse().unwrap();
    assert_eq!(table["trap"]["name"].as_str(), Some("\"\\ü\n"));
}
