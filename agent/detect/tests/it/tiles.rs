//! Every pixel lies in a tile, and every insect that is not too long lies whole in one.

use proptest::prelude::*;
use trapline_detect::jpeg::Picture;
use trapline_detect::preprocess;
use trapline_detect::tile::plan;

proptest! {
    #[test]
    fn tiles_cover_every_pixel_and_every_short_span(
        width in 1_u32..3000, height in 1_u32..3000, size in 64_u32..700, share in 0_u32..50, stride in 1_u32..17,
    ) {
        let overlap = size * share / 100;
        let tiles = plan(width, height, size, overlap, stride);
        let mut columns: Vec<u32> = tiles.iter().filter(|tile| tile.y_px == 0).map(|tile| tile.x_px).collect();
        let rows: Vec<u32> = tiles.iter().filter(|tile| tile.x_px == 0).map(|tile| tile.y_px).collect();
        prop_assert_eq!(tiles.len(), columns.len() * rows.len());
        for (length, starts) in [(width, &columns), (height, &rows)] {
            prop_assert_eq!(starts.first(), Some(&0));
            let end = starts.last().map_or(0, |start| start + size);
            prop_assert!(end >= length, "the last tile reaches the edge");
            prop_assert!(length < size || end < length + stride, "and less than a cell beyond it");
            prop_assert!(starts.iter().all(|start| start % stride == 0), "on the network's grid");
            for pair in starts.windows(2) {
                prop_assert!(pair[0] < pair[1]);
                prop_assert!(pair[1] + overlap <= pair[0] + size, "neighbours share at least the overlap");
            }
        }
        columns.dedup();
        for tile in &tiles {
            let at = columns.binary_search(&tile.x_px).unwrap();
            prop_assert_eq!(tile.right_neighbour_px, columns.get(at + 1).copied());
            let before = at.checked_sub(1).map(|before| columns[before] + size);
            prop_assert_eq!(tile.left_neighbour_end_px, before);
        }
    }

    #[test]
    fn a_tile_holds_the_pictures_bytes_and_black_beyond(
        width in 1_u32..90, height in 1_u32..90, seed in any::<u32>(),
    ) {
        let picture = noise(width, height, seed);
        let mut planes = vec![7; 5];
        for tile in plan(width, height, 64, 16, 8) {
            preprocess::planar(&picture, &tile, &mut planes);
            prop_assert_eq!(planes.len(), 3 * 64 * 64);
            for (at, &byte) in planes.iter().enumerate() {
                let (plane, x, y) = (at / 4096, at % 64 + tile.x_px as usize, at / 64 % 64 + tile.y_px as usize);
                let is_inside = x < width as usize && y < height as usize;
                let expected = if is_inside { picture.rgb[(y * width as usize + x) * 3 + plane] } else { 0 };
                prop_assert_eq!(byte, expected);
            }
        }
    }
}

#[test]
fn known_plans() {
    let starts = |width, height| -> Vec<(u32, u32)> {
        plan(width, height, 512, 96, 1)
            .iter()
            .map(|tile| (tile.x_px, tile.y_px))
            .collect()
    };
    assert_eq!(starts(512, 512), [(0, 0)]);
    assert_eq!(starts(100, 3), [(0, 0)], "a small picture gets one tile");
    assert_eq!(starts(513, 512), [(0, 0), (1, 0)]);
    assert_eq!(starts(928, 512), [(0, 0), (416, 0)], "exactly the overlap");
    assert_eq!(
        starts(512, 929),
        [(0, 0), (0, 208), (0, 417)],
        "evenly spread"
    );
    assert_eq!(starts(0, 512), [], "an empty picture has none");
    assert_eq!(starts(4608, 2592).len(), 66);
    let on_the_grid = plan(929, 512, 512, 96, 8);
    let starts: Vec<u32> = on_the_grid.iter().map(|tile| tile.x_px).collect();
    assert_eq!(starts, [0, 208, 424], "929 is 53 cells of room and a pixel");
}

fn noise(width_px: u32, height_px: u32, seed: u32) -> Picture {
    let bytes = (0..width_px * height_px * 3)
        .map(|at| (at.wrapping_mul(2_654_435_761) ^ seed).to_be_bytes()[0]);
    Picture {
        width_px,
        height_px,
        rgb: bytes.collect(),
    }
}
