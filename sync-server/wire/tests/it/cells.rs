//! Text in tables that spreadsheets open.

use trapline_wire::cell::guarded;

#[test]
fn no_text_becomes_a_formula() {
    for evil in [
        "=1+1", "+cmd", "@SUM(A1)", "-2+3", "-A1", "-inf", "-", "\t=1", "\r=1", "\n=1", " =1",
        "  @A1", " -2",
    ] {
        assert_eq!(guarded(evil), format!("'{evil}"));
    }
}

#[test]
fn names_words_and_numbers_stay_as_they_are() {
    for plain in [
        "",
        " ",
        "Wiese 3",
        "a=b",
        "-2",
        "-0.25",
        "-1e-5",
        "21.5",
        "2026-07-14",
    ] {
        assert_eq!(guarded(plain), plain);
    }
}
