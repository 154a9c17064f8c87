//! Every page as text, and that everything fits whatever the facts are.

use super::*;
use proptest::prelude::*;
use trapline_hal::{Canvas, PanelSize};

fn usual() -> Facts {
    Facts {
        trap: "upper meadow".to_owned(),
        doing: Doing::Waiting,
        next: Some(NextPicture {
            in_minutes: 7,
            at: Some(TimeOfDay {
                hour: 22,
                minute: 15,
            }),
        }),
        today: Today {
            pictures: 212,
            insects: Some(Insects {
                counted: 34,
                low: 31,
                high: 38,
            }),
            missed: 3,
        },
        queue: Queue {
            pictures: 1_240,
            records: 96,
            last_sync_minutes: Some(37 * 60),
        },
        battery: Some(Battery {
            percent: 78,
            hours_left: Some(6 * 24),
        }),
        sd_card: SdCard {
            free_bytes: 12_400_000_000,
            hours_left: Some(41 * 24),
        },
        last_day: Some(LastDay { month: 6, day: 27 }),
        check: None,
        problems: vec![Problem {
            part: "climate".to_owned(),
            words: "SHT3x at I²C address 0x44 does not answer; check its plug and its four wires"
                .to_owned(),
        }],
        invitation: Some(Invitation {
            what: "enrol".to_owned(),
            scan: "HTTPS://TRAPS.EXAMPLE.ORG/E/K7QF-2M9P".to_owned(),
            address: "traps.example.org".to_owned(),
            code: "K7QF-2M9P".to_owned(),
        }),
    }
}

/// All sheets under one another, each with its name.
fn as_text(facts: &Facts, size: PanelSize) -> String {
    let pages = sheets(facts, size).into_iter().map(|sheet| {
        let SheetId { page, number } = &sheet.id;
        format!("{page:?}, sheet {number}\n{}", draw(&sheet, size))
    });
    pages.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_page_of_the_usual_oled() {
    insta::assert_snapshot!("oled", as_text(&usual(), PanelSize::Oled128x64));
}

#[test]
fn every_page_of_the_flat_oled() {
    insta::assert_snapshot!("flat", as_text(&usual(), PanelSize::Oled128x32));
}

#[test]
fn every_page_of_e_paper() {
    insta::assert_snapshot!("paper", as_text(&usual(), PanelSize::Paper296x128));
}

/// The verdict of a check with these findings.
fn over(verdict: Verdict, found: &[(&str, &str)]) -> Facts {
    let found = found.iter().map(|(part, words)| Problem {
        part: (*part).to_owned(),
        words: (*words).to_owned(),
    });
    Facts {
        check: Some(Check::Over {
            verdict,
            found: found.collect(),
        }),
        ..Facts::default()
    }
}

/// The sheets of a check under one another.
fn check_as_text(facts: &Facts, size: PanelSize) -> String {
    let sheets = sheets(facts, size).into_iter();
    let sheets = sheets.filter(|sheet| sheet.id.page == Page::Check);
    let texts = sheets.map(|sheet| format!("sheet {}\n{}", sheet.id.number, draw(&sheet, size)));
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_check_that_runs_and_each_of_its_verdicts() {
    let running = Facts {
        check: Some(Check::Running {
            done: 3,
            of: 11,
            part: "camera".to_owned(),
        }),
        ..Facts::default()
    };
    let blurred = (
        "sharpness",
        "0.41, the best of this trap is 0.83; wipe the lens and check the focus",
    );
    let dark = (
        "lamp",
        "it makes the picture no brighter; check its wires and its fuse",
    );
    let all = [
        running,
        over(Verdict::Ready, &[]),
        over(Verdict::Care, &[blurred]),
        over(Verdict::NotReady, &[dark, blurred]),
    ];
    for (size, name) in [
        (PanelSize::Oled128x64, "check_oled"),
        (PanelSize::Oled128x32, "check_flat"),
        (PanelSize::Paper296x128, "check_paper"),
    ] {
        let texts = all.iter().map(|facts| check_as_text(facts, size));
        insta::assert_snapshot!(name, texts.collect::<Vec<_>>().join("\n\n"));
    }
}

#[test]
fn what_is_not_known_is_said_so() {
    let unknown = Facts {
        next: Some(NextPicture {
            in_minutes: 12,
            at: None,
        }),
        ..Facts::default()
    };
    insta::assert_snapshot!("unknown", as_text(&unknown, PanelSize::Oled128x64));
}

/// The figure, what stands beside it, and the lines of a page.
fn figure_of(facts: &Facts, page: &Page) -> String {
    let sheets = sheets(facts, PanelSize::Paper296x128);
    let sheet = sheets.iter().find(|sheet| sheet.id.page == *page).unwrap();
    match &sheet.body {
        Body::Figure {
            figure,
            beside,
            lines,
        } => format!("{figure} {} | {}", beside.join(" "), lines.join(" | ")),
        other @ (Body::Text { .. } | Body::Scan { .. }) => panic!("no figure: {other:?}"),
    }
}

/// What the page says of the usual facts after a change to them.
fn says(page: Page, change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = usual();
    change(&mut facts);
    figure_of(&facts, &page)
}

#[test]
fn words_for_the_state() {
    assert_eq!(
        says(Page::State, |_| ()),
        "22:15 next picture | waiting | 1 problem | upper meadow"
    );
    let later = says(Page::State, |facts| {
        facts.next.as_mut().unwrap().in_minutes = 3 * 1_440 - 1;
        facts.problems.clear();
        facts.doing = Doing::Saving;
        facts.trap = "a name that is too long for any panel".to_owned();
    });
    assert_eq!(later, "2 days to picture | waits for sun | all is well");
    let never = says(Page::State, |facts| {
        facts.next = None;
        facts.doing = Doing::Stopping;
        facts.trap.clear();
    });
    assert_eq!(never, "- no picture planned | stopping | 1 problem");
}

#[test]
fn words_for_the_day() {
    assert_eq!(
        says(Page::Today, |_| ()),
        "34 insects 31-38 | 212 pictures today | 3 missed"
    );
    let one = says(Page::Today, |facts| {
        let insects = facts.today.insects.as_mut().unwrap();
        (insects.counted, insects.low, insects.high) = (1, 1, 1);
        (facts.today.pictures, facts.today.missed) = (1, 0);
    });
    assert_eq!(one, "1 insect today | 1 picture today | none missed");
    assert_eq!(
        says(Page::Today, |facts| facts.today.insects = None),
        "? nobody looked | 212 pictures today | 3 missed"
    );
}

#[test]
fn words_for_what_waits() {
    assert_eq!(
        says(Page::Queue, |_| ()),
        "1240 pictures to send | synced 37 h ago | 96 records"
    );
    assert_eq!(
        says(Page::Queue, |facts| facts.queue = Queue::default()),
        "0 pictures to send | never synced | 0 records"
    );
}

#[test]
fn words_for_how_long_it_lasts() {
    assert_eq!(
        says(Page::Lasts, |_| ()),
        "27 Jun lasts until | battery 78%, 6 days | SD 12 GB, 41 days"
    );
    let card_first = says(Page::Lasts, |facts| {
        facts.last_day = None;
        facts.sd_card.hours_left = Some(40);
    });
    assert_eq!(
        card_first,
        "40 hours left | SD 12 GB, 40 h | battery 78%, 6 days"
    );
    let unknown = says(Page::Lasts, |facts| {
        facts.battery = None;
        facts.sd_card.hours_left = None;
    });
    assert_eq!(
        unknown,
        "? how long it lasts | no battery sensor | SD 12 GB"
    );
}

/// What a phone's camera would see, with some of the panel's rim around it.
fn scanned(canvas: &Canvas) -> Option<String> {
    const PIXELS: usize = 4;
    const RIM: usize = 40;
    let size = canvas.panel_size();
    let dark = |x: usize, y: usize| -> bool {
        let inside = |at: usize| u32::try_from(at.checked_sub(RIM)? / PIXELS).ok();
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) if x < size.width() && y < size.height() => {
                canvas.is_ink(x, y) != size.ink_shines()
            }
            _ => size.ink_shines(),
        }
    };
    let width = size.width() as usize * PIXELS + 2 * RIM;
    let height = size.height() as usize * PIXELS + 2 * RIM;
    let grey = |x: usize, y: usize| if dark(x, y) { 20 } else { 230 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let found = picture.detect_grids();
    found.first()?.decode().ok().map(|(_, words)| words)
}

#[test]
fn codes_can_be_scanned_where_they_are_shown() {
    let long = format!("WIFI:S:trap-upper-meadow;T:WPA;P:{};;", "x".repeat(63));
    for (scan, oled, paper) in [
        ("HTTPS://TRAPS.EXAMPLE.ORG/E/K7QF-2M9P", true, true),
        ("https://traps.example.org/enrol#K7QF-2M9P-RRT", true, true),
        (long.as_str(), false, true),
        ("x".repeat(400).as_str(), false, false),
    ] {
        for (size, shown) in [
            (PanelSize::Oled128x64, oled),
            (PanelSize::Oled128x32, false),
            (PanelSize::Paper296x128, paper),
        ] {
            let mut facts = usual();
            facts.invitation.as_mut().unwrap().scan = scan.to_owned();
            let sheets = sheets(&facts, size);
            let code = sheets
                .iter()
                .find(|sheet| matches!(sheet.body, Body::Scan { .. }));
            assert_eq!(code.is_some(), shown, "{scan} on {size:?}");
            if let Some(code) = code {
                let read = scanned(&draw(code, size));
                assert_eq!(read.as_deref(), Some(scan), "on {size:?}");
            }
        }
    }
}

#[test]
fn two_problems_of_a_part_are_two_pages() {
    let mut facts = usual();
    facts.problems = ["does not answer", "is stuck"]
        .map(|words| Problem {
            part: "light".to_owned(),
            words: words.to_owned(),
        })
        .to_vec();
    let sheets = sheets(&facts, PanelSize::Oled128x64);
    let ids: Vec<_> = sheets.iter().take(2).map(|sheet| &sheet.id.page).collect();
    let names = ["light", "light 2"].map(|name| Page::Problem(name.to_owned()));
    assert_eq!(ids, names.iter().collect::<Vec<_>>());
}

fn any_words() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,200}", "\\PC{0,80}", "[a-z]{1,12}"]
}

fn extreme<T: Copy + std::fmt::Debug + 'static>(
    extremes: &'static [T],
    any: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = T> {
    prop_oneof![proptest::sample::select(extremes), any]
}

fn number() -> impl Strategy<Value = u32> {
    extreme(&[0, 1, 9_999, 10_000, 999_999, u32::MAX], any::<u32>())
}

fn large() -> impl Strategy<Value = u64> {
    extreme(&[0, 1, 9_999, 999_999_999, u64::MAX], any::<u64>())
}

prop_compose! {
    fn any_figures()(
        next in proptest::option::of((number(), any::<Option<(u8, u8)>>())),
        today in (number(), proptest::option::of((number(), number(), number())), number()),
        queue in (large(), large(), proptest::option::of(large())),
        battery in proptest::option::of((any::<u8>(), proptest::option::of(number()))),
        card in (large(), proptest::option::of(number())),
        last_day in any::<Option<(u8, u8)>>(),
        doing in 0_usize..7,
    ) -> Facts {
        let doing = [
            Doing::Starting, Doing::Waiting, Doing::Shooting, Doing::Looking,
            Doing::Sending, Doing::Saving, Doing::Stopping,
        ][doing];
        let time = |(hour, minute)| TimeOfDay { hour, minute };
        let insects = |(counted, low, high)| Insects { counted, low, high };
        Facts {
            doing,
            next: next.map(|(in_minutes, at)| NextPicture { in_minutes, at: at.map(time) }),
            today: Today { pictures: today.0, insects: today.1.map(insects), missed: today.2 },
            queue: Queue { pictures: queue.0, records: queue.1, last_sync_minutes: queue.2 },
            battery: battery.map(|(percent, hours_left)| Battery { percent, hours_left }),
            sd_card: SdCard { free_bytes: card.0, hours_left: card.1 },
            last_day: last_day.map(|(month, day)| LastDay { month, day }),
            ..Facts::default()
        }
    }
}

fn any_check() -> impl Strategy<Value = Check> {
    let problem = |(part, words)| Problem { part, words };
    let running = (number(), number(), any_words()).prop_map(|(done, of, part)| Check::Running {
        done,
        of,
        part,
    });
    let verdicts = &[Verdict::Ready, Verdict::Care, Verdict::NotReady];
    let found = proptest::collection::vec((any_words(), any_words()).prop_map(problem), 0..3);
    let over = (proptest::sample::select(verdicts), found)
        .prop_map(|(verdict, found)| Check::Over { verdict, found });
    prop_oneof![running, over]
}

prop_compose! {
    fn any_facts()(
        figures in any_figures(),
        trap in any_words(),
        check in proptest::option::of(any_check()),
        problems in proptest::collection::vec((any_words(), any_words()), 0..4),
        invitation in proptest::option::of((any_words(), any_words(), any_words(), any_words())),
    ) -> Facts {
        let problem = |(part, words)| Problem { part, words };
        let invite = |(what, scan, address, code)| Invitation { what, scan, address, code };
        Facts {
            trap,
            check,
            problems: problems.into_iter().map(problem).collect(),
            invitation: invitation.map(invite),
            ..figures
        }
    }
}

/// Everything that stands on a sheet, so that nothing can be lost unseen.
fn letters(sheets: &[Sheet], page: &Page) -> String {
    let of_page = sheets.iter().filter(|sheet| sheet.id.page == *page);
    let rows = of_page.flat_map(|sheet| match &sheet.body {
        Body::Text { rows, .. } => rows.clone(),
        Body::Figure { lines, .. } => lines.clone(),
        Body::Scan { .. } => Vec::new(),
    });
    rows.collect::<String>().replace(' ', "")
}

fn fits(facts: &Facts, size: PanelSize) {
    let sheets = sheets(facts, size);
    let ids: std::collections::BTreeSet<_> = sheets.iter().map(|sheet| &sheet.id).collect();
    assert_eq!(ids.len(), sheets.len(), "each sheet has a name of its own");
    for sheet in &sheets {
        let canvas = draw(sheet, size);
        assert_eq!(canvas.spilled(), 0, "{sheet:?} on {size:?}\n{canvas}");
        let lines = match &sheet.body {
            Body::Figure { lines, .. } => 1 + lines.len(),
            Body::Text { title, rows, .. } => usize::from(title.is_some()) + rows.len(),
            Body::Scan { rows, .. } => rows.len(),
        };
        assert!(lines <= 4, "{lines} lines: {sheet:?}");
    }
    for sheet in &sheets {
        if let Page::Problem(name) = &sheet.id.page {
            let first = facts.problems.iter().find(|problem| problem.part == *name);
            if let Some(problem) = first {
                let all = words::printable(&problem.words).replace(' ', "");
                assert!(letters(&sheets, &sheet.id.page).ends_with(&all));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_facts_are_they_fit(facts in any_facts()) {
        for size in PanelSize::ALL {
            fits(&facts, size);
        }
    }

    #[test]
    fn a_button_reaches_every_sheet(facts in any_facts()) {
        let sheets = sheets(&facts, PanelSize::Oled128x64);
        let ids: Vec<SheetId> = sheets.into_iter().map(|sheet| sheet.id).collect();
        let mut carousel = Carousel::new(trapline_hal::Asleep::Dark, 10, 0);
        for id in &ids {
            prop_assert_eq!(carousel.look(0, &ids), Shows::Sheet(id.clone()));
            carousel.press(0, &ids);
        }
        prop_assert_eq!(carousel.look(0, &ids), Shows::Sheet(ids[0].clone()));
    }
}
