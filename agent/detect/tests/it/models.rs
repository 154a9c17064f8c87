//! Models and manifests that must not be used, each with a text that names the file and what is wrong.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trapline_detect::{Detector, Manifest, ModelError};

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");

/// A copy of the shipped model in a folder of its own, whose manifest a test may spoil.
struct Copy {
    folder: TempDir,
    manifest: String,
    model: Vec<u8>,
}

impl Copy {
    fn new() -> Self {
        let shipped = Detector::embedded().unwrap();
        let id = &shipped.model().id;
        Self {
            folder: TempDir::new().unwrap(),
            manifest: std::fs::read_to_string(format!("{MODELS}/{id}.toml")).unwrap(),
            model: std::fs::read(format!("{MODELS}/{id}.onnx")).unwrap(),
        }
    }

    fn replace(mut self, key: &str, line: &str) -> Self {
        let start_of_line = format!("{key} =");
        let lines = self.manifest.lines().map(|old| {
            if old.starts_with(&start_of_line) {
                line
            } else {
                old
            }
        });
        self.manifest = lines.map(|line| format!("{line}\n")).collect();
        self
    }

    fn load(&self) -> Result<Detector, ModelError> {
        Detector::load(&self.write())
    }

    /// Writes both files (the model unless it is empty) and returns the manifest's path.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own files need no durability"
    )]
    fn write(&self) -> PathBuf {
        let manifest = self.folder.path().join("model.toml");
        std::fs::write(&manifest, &self.manifest).unwrap();
        let file = Manifest::parse(&self.manifest, &manifest).map(|manifest| manifest.file);
        if let (Ok(file), false) = (file, self.model.is_empty()) {
            std::fs::write(self.folder.path().join(file), &self.model).unwrap();
        }
        manifest
    }

    fn check(&self, expected: &str) -> ModelError {
        let error = self.load().expect_err("must not load");
        let text = error.to_string();
        assert!(
            text.contains(expected),
            "`{text}` does not say `{expected}`"
        );
        error
    }
}

#[test]
fn the_shipped_model_loads_from_its_file_too() {
    let embedded = Detector::embedded().unwrap();
    let loaded = Copy::new().load().unwrap();
    assert_eq!(embedded.model(), loaded.model());
    assert_eq!(embedded.model().classes, ["insect"]);
}

#[test]
fn missing_files_are_named() {
    let nowhere = Detector::load(Path::new("/nowhere/model.toml"))
        .err()
        .unwrap();
    assert!(matches!(nowhere, ModelError::Missing { .. }));
    assert!(nowhere.to_string().contains("/nowhere/model.toml"));
    let mut copy = Copy::new().replace("file", "file = \"gone.onnx\"");
    copy.model.clear();
    assert!(matches!(
        copy.check("gone.onnx"),
        ModelError::Missing { .. }
    ));
}

#[test]
fn another_model_file_is_told_by_its_hash() {
    let mut copy = Copy::new();
    copy.model.push(0);
    let expected = Detector::embedded().unwrap().model().sha256.clone();
    let error = copy.check(&format!("but its manifest says {expected}"));
    assert!(
        matches!(error, ModelError::Hash { found, .. } if found.len() == 64 && found != expected)
    );
}

#[test]
fn a_file_that_is_no_network_is_unusable() {
    let mut copy = Copy::new();
    copy.model = b"nothing a library could run".to_vec();
    let error = copy.load().unwrap_err();
    let ModelError::Hash { found, .. } = error else {
        panic!("{error}")
    };
    let copy = copy.replace("sha256", &format!("sha256 = \"{found}\""));
    assert!(matches!(
        copy.check("cannot be prepared"),
        ModelError::Unusable { .. }
    ));
}

#[test]
fn other_tensors_than_the_manifest_means_are_refused() {
    let shipped = Detector::embedded().unwrap();
    let tile_px = shipped.model().input.tile_px;
    let copy = Copy::new().replace("tile_px", "tile_px = 448");
    let error = copy.check(&format!(
        "its input is 1x3x{tile_px}x{tile_px} U8, but its manifest means 1x3x448x448 U8"
    ));
    assert!(matches!(error, ModelError::Shape { .. }));
    let copy = Copy::new().replace("stride_px", "stride_px = 16");
    copy.check("its heat output is");
    let copy = Copy::new().replace("classes", "classes = [\"fly\", \"moth\"]");
    copy.check("its heat output is");
}

#[test]
fn an_unreadable_manifest_names_its_key() {
    let mut copy = Copy::new();
    copy.manifest.push_str("nms_iuo = 0.4\n");
    assert!(matches!(
        copy.check("nms_iuo"),
        ModelError::Unreadable { .. }
    ));
    Copy::new()
        .replace("sha256", "")
        .check("missing field `sha256`");
    Copy::new()
        .replace("tile_px", "tile_px = \"large\"")
        .check("tile_px");
    let mut copy = Copy::new();
    copy.manifest = "not TOML at all".to_owned();
    copy.check("model.toml cannot be understood");
}

#[test]
fn impossible_values_name_their_key() {
    let cases = [
        ("id", "id = \"\"", "`id` is empty"),
        (
            "file",
            "file = \"../model.onnx\"",
            "`file` must be a file name without folders",
        ),
        ("sha256", "sha256 = \"ABC\"", "`sha256` must be 64"),
        ("classes", "classes = []", "`classes` has 0 names"),
        ("stride_px", "stride_px = 0", "`output.stride_px` is 0"),
        ("tile_px", "tile_px = 500", "`input.tile_px` is 500"),
        ("tile_px", "tile_px = 80000", "`input.tile_px` is 80000"),
        ("channels", "channels = 1", "`input.channels` is 1, not 3"),
        ("layout", "layout = \"bgr\"", "`input.layout` is `bgr`"),
        (
            "overlap_px",
            "overlap_px = 400",
            "`input.overlap_px` is 400",
        ),
        ("score", "score = 1.5", "`thresholds.score` is 1.5"),
        ("score", "score = nan", "`thresholds.score` is NaN"),
        (
            "score_low",
            "score_low = 0.9",
            "`thresholds.score_low` is 0.9",
        ),
        (
            "score_low",
            "score_low = 0.0",
            "`thresholds.score_low` is 0",
        ),
        ("nms_iou", "nms_iou = -1.0", "`thresholds.nms_iou` is -1"),
    ];
    for (key, line, expected) in cases {
        let error = Copy::new().replace(key, line).check(expected);
        assert!(matches!(error, ModelError::Value { .. }), "{error:?}");
    }
}
