//! What the guides show has to work as it stands there.

use trapline_agent::config::Config;

/// The settings between the fences of a guide.
fn settings_of(guide: &str) -> Vec<String> {
    let path = format!("{}/../docs/{guide}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks.map(str::to_owned).collect()
}

#[test]
fn the_settings_that_the_guides_show_are_right() {
    for guide in ["FIELD-GUIDE.md", "TECHNICIAN-PAGE.md"] {
        let blocks = settings_of(guide);
        assert!(!blocks.is_empty(), "{guide} shows none");
        for block in blocks {
            let is_whole = block.contains("[camera]");
            let camera = if is_whole {
                ""
            } else {
                "[camera]\nkind = \"none\"\n"
            };
            let read = Config::from_text(guide, &format!("{block}{camera}"));
            assert!(read.is_ok(), "{guide}: {}", read.unwrap_err());
        }
    }
}
