//! Which places share a square, so that all squares together are cheap.

use super::Area;

/// A square of a size that there is, and what it has to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Square {
    pub(super) area: Area,
    pub(super) size_px: u32,
}

impl Square {
    /// The smallest one for an area; none if there is none so large. Sizes come small ones first.
    fn around(area: Area, sizes_px: &[u32]) -> Option<Self> {
        let mut sizes = sizes_px.iter().copied();
        let size_px = sizes.find(|&size_px| area.longer_side() <= size_px as f32)?;
        Some(Self { area, size_px })
    }

    fn cost(&self) -> u64 {
        u64::from(self.size_px).pow(2)
    }
}

/// Squares that hold all places, each of which must fit into one.
///
/// It begins with one square per place, and joins the two by which most is saved as long as that costs no more than
/// both: nothing clever, but places on a card are few.
pub(super) fn cheapest(places: &[Area], sizes_px: &[u32]) -> Vec<Square> {
    let alone = places
        .iter()
        .filter_map(|&place| Square::around(place, sizes_px));
    let mut squares: Vec<Square> = alone.collect();
    while let Some(Join {
        first,
        second,
        square,
        ..
    }) = best_join(&squares, sizes_px)
    {
        // The later one goes first, so that the earlier one keeps its place.
        squares.swap_remove(second);
        squares.swap_remove(first);
        squares.push(square);
    }
    squares
}

struct Join {
    first: usize,
    second: usize,
    square: Square,
    saved: u64,
}

fn best_join(squares: &[Square], sizes_px: &[u32]) -> Option<Join> {
    let mut best: Option<Join> = None;
    for (first, a) in squares.iter().enumerate() {
        for (second, b) in squares.iter().enumerate().skip(first + 1) {
            let both = a.cost() + b.cost();
            let joined = Square::around(a.area.with(b.area), sizes_px);
            let saving = joined.and_then(|square| Some((square, both.checked_sub(square.cost())?)));
            if let Some((square, saved)) = saving
                && best.as_ref().is_none_or(|best| saved > best.saved)
            {
                best = Some(Join {
                    first,
                    second,
                    square,
                    saved,
                });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES_PX: [u32; 3] = [160, 256, 512];

    fn place(left: f32, top: f32, side: f32) -> Area {
        Area {
            left,
            top,
            right: left + side,
            bottom: top + side,
        }
    }

    fn sizes(places: &[Area]) -> Vec<u32> {
        let squares = cheapest(places, &SIZES_PX);
        for place in places {
            let holds = |square: &Square| square.area.with(*place) == square.area;
            assert!(squares.iter().any(holds), "{place:?}");
        }
        let mut sizes: Vec<u32> = squares.iter().map(|square| square.size_px).collect();
        sizes.sort_unstable();
        sizes
    }

    #[test]
    fn a_place_has_the_smallest_square_that_holds_it() {
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[place(0.0, 0.0, 160.0)]), [160]);
        assert_eq!(sizes(&[place(0.0, 0.0, 161.0)]), [256]);
        assert_eq!(sizes(&[place(0.0, 0.0, 257.0)]), [512]);
        assert!(cheapest(&[place(0.0, 0.0, 513.0)], &SIZES_PX).is_empty());
    }

    #[test]
    fn places_share_a_square_where_that_is_cheaper() {
        let near = [place(0.0, 0.0, 140.0), place(15.0, 10.0, 140.0)];
        assert_eq!(sizes(&near), [160]);
        let apart = [place(0.0, 0.0, 140.0), place(100.0, 0.0, 140.0)];
        assert_eq!(sizes(&apart), [160, 160]);
        let three = [apart[0], apart[1], place(0.0, 100.0, 140.0)];
        assert_eq!(sizes(&three), [160, 160, 160]);
        let wide = [place(0.0, 0.0, 200.0), place(30.0, 50.0, 200.0)];
        assert_eq!(sizes(&wide), [256]);
    }

    #[test]
    fn a_large_place_takes_small_ones_along_that_lie_in_its_square() {
        let places = [place(0.0, 0.0, 300.0), place(350.0, 350.0, 150.0)];
        assert_eq!(sizes(&places), [512]);
    }
}
