//! What the program prints, word for word.

#[test]
fn the_command_line_says_what_it_should() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.toml")
        .env("COLUMNS", "100");
}
