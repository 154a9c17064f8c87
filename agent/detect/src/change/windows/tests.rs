//! Windows hold what they are made for.

use super::*;

const ROOM: Room<'_> = Room {
    width_px: 1600,
    height_px: 1200,
    cell_px: 16.0,
    sizes_px: &[256, 512],
    margin_px: 48,
    stride_px: 8,
};

fn changes(cells: &[(usize, usize)]) -> Changes {
    let (columns, rows) = (100, 75);
    let mut is_changed = vec![false; columns * rows];
    for &(column, row) in cells {
        is_changed[row * columns + column] = true;
    }
    Changes {
        columns,
        rows,
        is_changed,
    }
}

/// Every changed cell lies in a core with all of itself, and every window in the picture.
fn check(cells: &[(usize, usize)], boxes: &[Detection]) -> Vec<u32> {
    let windows = ROOM.plan(&changes(cells), boxes, &[]).unwrap();
    for &(column, row) in cells {
        let (left, top) = (column as f32 * 16.0, row as f32 * 16.0);
        let is_inside = |window: &&Window| {
            let core = window.core;
            core.left <= left
                && left + 16.0 <= core.right
                && core.top <= top
                && top + 16.0 <= core.bottom
        };
        assert!(
            windows.iter().any(|window| is_inside(&window)),
            "{column}, {row}: {windows:?}"
        );
    }
    for window in &windows {
        assert!(window.x_px + window.size_px <= 1600 && window.y_px + window.size_px <= 1200);
    }
    windows.iter().map(|window| window.size_px).collect()
}

#[test]
fn few_places_need_few_small_windows() {
    assert!(check(&[], &[]).is_empty());
    assert_eq!(check(&[(50, 40)], &[]), [256]);
    assert_eq!(check(&[(50, 40), (55, 44)], &[]), [256]);
    assert_eq!(check(&[(0, 0), (99, 74), (0, 74), (99, 0)], &[]), [256; 4]);
}

#[test]
fn a_large_place_needs_large_windows() {
    let all: Vec<(usize, usize)> = (0..75)
        .flat_map(|row| (0..100).map(move |column| (column, row)))
        .collect();
    assert_eq!(check(&all, &[]), [512; 12]);
}

#[test]
fn a_long_line_is_cut_where_that_is_cheaper() {
    let row: Vec<(usize, usize)> = (30..44).map(|column| (column, 40)).collect();
    assert_eq!(check(&row, &[]), [256, 256]);
    let slanting: Vec<(usize, usize)> = (0..60).map(|cell| (20 + cell, 5 + cell)).collect();
    let sizes = check(&slanting, &[]);
    assert!(
        sizes.len() < 12 && sizes.iter().all(|&size_px| size_px == 256),
        "{sizes:?}"
    );
}

#[test]
fn a_box_that_changed_in_part_is_seen_whole() {
    let moth = Detection {
        x_px: 700.0,
        y_px: 630.0,
        width_px: 200.0,
        height_px: 60.0,
        score: 0.9,
        class: 0,
    };
    assert_eq!(check(&[(44, 41)], &[moth]), [512]);
}

#[test]
fn windows_lie_on_the_networks_grid() {
    for (x, y) in [(5, 4), (40, 40), (61, 27), (99, 74)] {
        let windows = ROOM.plan(&changes(&[(x, y)]), &[], &[]).unwrap();
        let [window] = windows[..] else {
            panic!("{windows:?}");
        };
        assert_eq!((window.x_px % 8, window.y_px % 8), (0, 0), "{window:?}");
    }
}

#[test]
fn boxes_to_look_at_again_have_windows_without_a_change() {
    let fly = Detection {
        x_px: 700.0,
        y_px: 630.0,
        width_px: 20.0,
        height_px: 16.0,
        score: 0.4,
        class: 0,
    };
    let windows = ROOM.plan(&changes(&[]), &[fly], &[fly]).unwrap();
    assert!(matches!(windows[..], [window] if window.core.has_middle_of(&fly)));
}

#[test]
fn many_places_are_not_worth_it() {
    let grid: Vec<(usize, usize)> = (0..75)
        .step_by(4)
        .flat_map(|row| (0..100).step_by(4).map(move |column| (column, row)))
        .collect();
    assert_eq!(ROOM.plan(&changes(&grid), &[], &[]), None);
}

#[test]
fn a_picture_smaller_than_a_window_has_one() {
    let room = Room {
        width_px: 90,
        height_px: 60,
        ..ROOM
    };
    let changes = Changes {
        columns: 6,
        rows: 4,
        is_changed: vec![true; 24],
    };
    let windows = room.plan(&changes, &[], &[]).unwrap();
    assert_eq!(windows.len(), 1);
    assert_eq!((windows[0].x_px, windows[0].y_px), (0, 0));
}
