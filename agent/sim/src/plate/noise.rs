//! Smooth random fields: leaves out of focus, runs of glue, dappled light.

/// Value noise: smooth, in 0..1, one hill per unit of `x` and `y`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lattice cell of a coordinate that stays within a few thousand"
)]
pub(crate) fn field(seed: u32, x: f32, y: f32) -> f32 {
    let (cell_x, cell_y) = (x.floor(), y.floor());
    let (column, row) = (cell_x as i32, cell_y as i32);
    let (fx, fy) = (ease(x - cell_x), ease(y - cell_y));
    let top = lerp(corner(seed, column, row), corner(seed, column + 1, row), fx);
    let bottom = lerp(
        corner(seed, column, row + 1),
        corner(seed, column + 1, row + 1),
        fx,
    );
    lerp(top, bottom, fy)
}

/// Three octaves of [`field`], in 0..1.
pub(crate) fn clouds(seed: u32, x: f32, y: f32) -> f32 {
    let fine = field(seed ^ 0x5bd1, x * 4.1, y * 4.1);
    let middle = field(seed ^ 0x27d4, x * 2.03, y * 2.03);
    (4.0 * field(seed, x, y) + 2.0 * middle + fine) / 7.0
}

/// From `a` at 0 to `b` at 1.
pub(crate) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 at or below `low`, 1 at or above `high`, smooth between.
pub(crate) fn step(low: f32, high: f32, x: f32) -> f32 {
    ease(((x - low) / (high - low)).clamp(0.0, 1.0))
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

#[expect(
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a hash only wants bits, and 24 of them fit an f32"
)]
fn corner(seed: u32, column: i32, row: i32) -> f32 {
    let mut bits = seed
        .wrapping_add((column as u32).wrapping_mul(0x85eb_ca6b))
        .wrapping_add((row as u32).wrapping_mul(0xc2b2_ae35));
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    ((bits ^ (bits >> 15)) >> 8) as f32 / 16_777_216.0
}
