//! Photographs with drawn boxes, as COCO annotation files describe them.

use serde::Deserialize;

use crate::boxes::Detection;

/// One photograph with the boxes people drew on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Photograph {
    /// As the annotation file names it, relative to that file's folder.
    pub file_name: String,
    /// The drawn boxes; their score is 1.
    pub drawn: Vec<Detection>,
}

/// Reads the photographs of a COCO annotation file's text. All categories become class 0.
///
/// # Errors
/// The JSON reader's, naming line and column.
pub fn read_coco(json: &str) -> Result<Vec<Photograph>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Coco {
        images: Vec<Image>,
        annotations: Vec<Annotation>,
    }
    #[derive(Deserialize)]
    struct Image {
        id: u64,
        file_name: String,
    }
    #[derive(Deserialize)]
    struct Annotation {
        image_id: u64,
        bbox: [f32; 4],
    }
    let coco: Coco = serde_json::from_str(json)?;
    let drawn_on = |id| {
        let boxes = coco
            .annotations
            .iter()
            .filter(move |annotation| annotation.image_id == id);
        boxes.map(
            |&Annotation {
                 bbox: [x_px, y_px, width_px, height_px],
                 ..
             }| Detection {
                x_px,
                y_px,
                width_px,
                height_px,
                score: 1.0,
                class: 0,
            },
        )
    };
    let photograph = |image: &Image| Photograph {
        file_name: image.file_name.clone(),
        drawn: drawn_on(image.id).collect(),
    };
    Ok(coco.images.iter().map(photograph).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coco_text_becomes_photographs() {
        let text = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 9}, {"id": 8, "file_name": "b.jpg"}],
            "annotations": [{"image_id": 7, "bbox": [1, 2, 3.5, 4], "category_id": 1}], "categories": []}"#;
        let photographs = read_coco(text).unwrap();
        assert_eq!(photographs.len(), 2);
        let drawn = Detection {
            x_px: 1.0,
            y_px: 2.0,
            width_px: 3.5,
            height_px: 4.0,
            score: 1.0,
            class: 0,
        };
        assert_eq!(
            photographs[0],
            Photograph {
                file_name: "a.jpg".to_owned(),
                drawn: vec![drawn]
            }
        );
        assert!(photographs[1].drawn.is_empty());
        assert!(read_coco("{}").is_err());
    }
}
