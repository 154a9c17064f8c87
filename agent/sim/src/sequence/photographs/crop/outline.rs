//! Which part of a crop is its insect, so that print, dirt or half a neighbour beside it does not come along: nobody
//! could say whether a box on those is right.

use super::Rgb;

/// A pixel with less of the card's light than this belongs to something.
const DARK: f32 = 0.82;
/// Parts that are so near each other are one thing: a leg is thinner than the picture is sharp.
const GAP: usize = 2;
/// Of all that is dark in the drawn box, the insect is at least this share; else there are two things.
const OWN_SHARE_MIN: f32 = 0.85;
/// The insect fills the drawn box at least this far, along either side.
const FILLED_MIN: f32 = 0.6;

/// How much of every pixel belongs to the insect, row by row: 1 on it and close by, 0 further away. `None` if the
/// drawn box, which has `margin` pixels around it, holds several things or only a part of one.
pub(super) fn weights(through: &[Rgb], width: usize, margin: usize) -> Option<Vec<f32>> {
    let height = through.len().checked_div(width)?;
    let dark: Vec<bool> = through
        .iter()
        .map(|[red, green, _]| red.min(*green) < DARK)
        .collect();
    let is_drawn = |at: usize| {
        let (row, column) = (at / width, at % width);
        (margin..height.saturating_sub(margin)).contains(&row)
            && (margin..width.saturating_sub(margin)).contains(&column)
    };
    let drawn = |things: &Things| -> Vec<usize> {
        let inside = (0..dark.len()).filter(|at| is_drawn(*at));
        inside.filter_map(|at| *things.of.get(at)?).collect()
    };
    let things = Things::find(&dark, width);
    let mut counts = vec![0_usize; things.count];
    for thing in drawn(&things) {
        *counts.get_mut(thing)? += 1;
    }
    let (insect, own) = (0..).zip(&counts).max_by_key(|(_, count)| **count)?;
    let all: usize = counts.iter().sum();
    let is_alone = *own as f32 >= OWN_SHARE_MIN * all as f32;
    let own: Vec<usize> = (0..dark.len())
        .filter(|at| things.of.get(*at) == Some(&Some(insect)))
        .collect();
    (is_alone && fills(&own, width, height, margin)).then(|| fade(&own, width, height))
}

/// Whether it reaches over most of the drawn box, and not to the crop's edge.
fn fills(own: &[usize], width: usize, height: usize, margin: usize) -> bool {
    let span = |place: &dyn Fn(usize) -> usize| {
        let places = || own.iter().map(|at| place(*at));
        places().min().zip(places().max()).unwrap_or((0, 0))
    };
    let is_fitting = |(first, last): (usize, usize), side: usize| {
        let inside = (last + 1)
            .min(side - margin)
            .saturating_sub(first.max(margin));
        first > 0 && last + 1 < side && inside as f32 >= FILLED_MIN * (side - 2 * margin) as f32
    };
    is_fitting(span(&|at| at % width), width) && is_fitting(span(&|at| at / width), height)
}

/// 1 up to three pixels around the insect, and less and less over the next three.
fn fade(own: &[usize], width: usize, height: usize) -> Vec<f32> {
    let mut steps = vec![u8::MAX; width * height];
    let mut edge = own.to_vec();
    for step in 0..6 {
        for at in &edge {
            if let Some(entry) = steps.get_mut(*at) {
                *entry = step.min(*entry);
            }
        }
        edge = edge
            .iter()
            .flat_map(|at| around(*at, width, height, 1))
            .filter(|at| steps.get(*at) == Some(&u8::MAX))
            .collect();
        edge.sort_unstable();
        edge.dedup();
    }
    let weight = |step: u8| ((6.0 - f32::from(step)) / 3.0).clamp(0.0, 1.0);
    steps.into_iter().map(weight).collect()
}

/// All pixels in the square around one, up to `reach` away.
fn around(at: usize, width: usize, height: usize, reach: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (at / width, at % width);
    let rows = row.saturating_sub(reach)..(row + reach + 1).min(height);
    let columns = column.saturating_sub(reach)..(column + reach + 1).min(width);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
}

/// Dark pixels that hang together.
struct Things {
    /// Which thing each pixel belongs to.
    of: Vec<Option<usize>>,
    count: usize,
}

impl Things {
    fn find(dark: &[bool], width: usize) -> Self {
        let height = dark.len() / width.max(1);
        let mut of = vec![None; dark.len()];
        let mut count = 0;
        for start in 0..dark.len() {
            if dark.get(start) != Some(&true) || of.get(start) != Some(&None) {
                continue;
            }
            let mut waiting = vec![start];
            while let Some(at) = waiting.pop() {
                match of.get_mut(at) {
                    Some(entry @ None) => *entry = Some(count),
                    _ => continue,
                }
                let next = around(at, width, height, GAP);
                waiting.extend(next.filter(|at| dark.get(*at) == Some(&true)));
            }
            count += 1;
        }
        Self { of, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 40;

    /// Bare card with dark rectangles `[left, top, width, height]`; the drawn box is the middle 24 by 24.
    fn crop(dark: &[[usize; 4]]) -> Vec<Rgb> {
        let is_dark = |at: usize| {
            let (row, column) = (at / SIDE, at % SIDE);
            dark.iter().any(|&[left, top, width, height]| {
                (left..left + width).contains(&column) && (top..top + height).contains(&row)
            })
        };
        (0..SIDE * SIDE)
            .map(|at| if is_dark(at) { [0.2; 3] } else { [1.0; 3] })
            .collect()
    }

    #[test]
    fn the_insect_is_kept_and_what_lies_beside_it_is_not() {
        let weights = weights(&crop(&[[10, 10, 20, 20], [34, 3, 4, 4]]), SIDE, 8).unwrap();
        let of = |column: usize, row: usize| weights[row * SIDE + column];
        assert!((of(20, 20) - 1.0).abs() < 1e-6 && (of(31, 20) - 1.0).abs() < 1e-6);
        assert!(of(33, 20) < 1.0 && of(33, 20) > 0.0);
        assert!(of(35, 4).abs() < 1e-6 && of(1, 1).abs() < 1e-6);
    }

    #[test]
    fn a_box_with_two_things_or_a_part_of_one_gives_no_crop() {
        let refused = [
            vec![[10, 10, 20, 8], [10, 22, 20, 8]],
            vec![[10, 10, 30, 20]],
            vec![[18, 10, 4, 20]],
            vec![],
        ];
        for dark in refused {
            assert_eq!(weights(&crop(&dark), SIDE, 8), None, "{dark:?}");
        }
    }
}
