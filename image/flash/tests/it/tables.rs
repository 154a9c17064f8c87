//! Tables of traps as spreadsheets save them, templates, labels.

use std::path::Path;
use trapline_flash::card_file::{TEMPLATE, fill, for_windows, setting};
use trapline_flash::label::{Label, hotspot_ssid, sheet};
use trapline_flash::traps::{Trap, read};
use trapline_wire::EnrolToken;

const TOKEN: [u8; 25] = [7; 25];

/// With `TOKEN` written out.
fn right(text: &str) -> Vec<Trap> {
    let text = text.replace("TOKEN", EnrolToken::from_random(&TOKEN).reveal());
    read(Path::new("traps.csv"), text.as_bytes()).unwrap()
}

#[test]
fn a_table_is_read_as_any_spreadsheet_saves_it() {
    let comma =
        right("name,latitude,longitude,token,time_zone\nä 1,47.3769,8.5417,TOKEN,+02:00\n\n");
    let semicolon = right(
        "\u{feff}Name;Latitude;Longitude;Token;Time zone\r\n\"ä 1\";47,3769;8,5417;TOKEN;02:00\r\n;;;;\r\n",
    );
    assert_eq!(comma, semicolon);
    assert_eq!(comma[0].name, "ä 1");
    let latin1 = read(Path::new("t.csv"), b"name\nS\xfcd\n").unwrap();
    assert_eq!(latin1[0].name, "Süd");
}

#[test]
fn everything_wrong_is_said_with_its_line() {
    let cases = [
        (
            "name,latitude,longitude\na,520,8\n",
            "traps.csv:2: the latitude needs degrees between -90 and 90",
        ),
        (
            "name,latitude,longitude\na,47,\n",
            "traps.csv:2: a place needs latitude and longitude",
        ),
        (
            "name\na\na\n",
            "traps.csv:3: the name \"a\" stands in line 2 already",
        ),
        ("name\nTrap 1\ntrap-1\n", "told apart by nobody"),
        ("name,token\nb,\n", "traps.csv:2: the token is missing"),
        ("name,token\na,hello\n", "has the form `trapt_"),
        (
            "name,server\na,traps.example.org\n",
            "an address like https://",
        ),
        ("name,wifi,wifi_password\na,Farm,short\n", "8 to 63 letters"),
        ("name,wifi_password\na,longenough\n", "no Wi-Fi"),
        ("name,country\na,Kenya\n", "two letters"),
        ("name,nme\na,b\n", "traps.csv:1: there is no column \"nme\""),
        (
            "latitude,longitude\n1,2\n",
            "the column \"name\" is missing",
        ),
        ("name,server\na\n", "traps.csv:2: 1 cells"),
        ("name\n", "no trap in this list"),
        ("", "the column \"name\" is missing"),
    ];
    for (text, expected) in cases {
        let problems = read(Path::new("traps.csv"), text.as_bytes()).unwrap_err();
        assert!(
            problems.iter().any(|said| said.contains(expected)),
            "{text:?}: {problems:?}"
        );
    }
}

fn trap() -> Trap {
    Trap {
        name: "Wiese \"Süd\"".to_owned(),
        latitude: "47.3769".to_owned(),
        longitude: "-8.5".to_owned(),
        server: "https://traps.example.org".to_owned(),
        token: EnrolToken::from_random(&TOKEN).reveal().to_owned(),
        wifi: "Farm".to_owned(),
        wifi_password: "pass\\word;1".to_owned(),
        hotspot_password: "k7mpx-3xqda".to_owned(),
        ..Trap::default()
    }
}

#[test]
fn a_template_takes_the_words_and_keeps_the_rest() {
    let text = fill(TEMPLATE, &trap()).unwrap();
    let of = |section, key| setting(&text, section, key).unwrap();
    assert_eq!(of("trap", "name"), "Wiese \"Süd\"");
    assert_eq!(of("trap", "longitude"), "-8.5");
    assert_eq!(
        of("server", "token"),
        EnrolToken::from_random(&TOKEN).reveal()
    );
    assert_eq!(of("hotspot", "password"), "k7mpx-3xqda");
    assert!(text.contains("# What you call the trap"), "remarks stay");
    assert!(!text.contains("#name ="), "the example became the setting");
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["wifi"][0]["password"].as_str(), Some("pass\\word;1"));
    let own = "[agent.schedule]\nevery = \"5m\"\n[trap]\nname = \"old\"\n";
    let filled = fill(own, &trap()).unwrap();
    let table: toml::Table = filled.parse().unwrap();
    assert_eq!(table["trap"]["name"].as_str(), Some("Wiese \"Süd\""));
    assert_eq!(table["agent"]["schedule"]["every"].as_str(), Some("5m"));
    assert!(fill("name = “x”", &trap()).is_err());
    assert_eq!(for_windows("a\r\nb\n"), b"a\r\nb\r\n");
}

/// The agent's own test reads the same file with the agent's reader.
#[test]
fn the_card_that_the_agent_checks_is_the_one_that_is_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/personalised.toml");
    let kept = std::fs::read_to_string(path).unwrap();
    assert_eq!(kept, fill(TEMPLATE, &trap()).unwrap());
}

#[test]
fn a_label_says_what_a_phone_and_a_person_need() {
    let label = Label::of_card(&fill(TEMPLATE, &trap()).unwrap()).unwrap();
    assert_eq!(
        label.join(),
        "WIFI:T:WPA;S:Trapline-Wiese \\\"Süd\\\";P:k7mpx-3xqda;;"
    );
    let html = sheet(&[label.clone(), label]).unwrap();
    assert_eq!(html.matches("<svg").count(), 2);
    for words in [
        "Trapline-Wiese &quot;Süd&quot;",
        "k7mpx-3xqda",
        "http://10.42.0.1:8080",
        "https://traps.example.org",
        "47.3769, -8.5",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(hotspot_ssid(&"ü".repeat(40)).len() <= 32);
    assert_eq!(
        Label::of_card(TEMPLATE),
        None,
        "a nameless trap has no label"
    );
}
