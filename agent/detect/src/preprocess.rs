//! Cuts one tile out of a picture and lays its bytes out as the network wants them.
//!
//! Bytes stay bytes: no copy of the picture as floating-point numbers ever exists. What of a tile reaches over the
//! picture's edge stays black, which is what the network's own padding is.

use crate::jpeg::Picture;
use crate::tile::Tile;

/// Fills `planes` (3 × size × size bytes: red, green, blue) with the tile's part of the picture.
pub fn planar(picture: &Picture, tile: &Tile, planes: &mut Vec<u8>) {
    let size = tile.size_px as usize;
    let plane = size * size;
    planes.clear();
    planes.resize(3 * plane, 0);
    let (red, rest) = planes.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let rows = red
        .chunks_exact_mut(size)
        .zip(green.chunks_exact_mut(size))
        .zip(blue.chunks_exact_mut(size));

    let stride = picture.width_px as usize * 3;
    let lines = picture
        .rgb
        .chunks_exact(stride.max(1))
        .skip(tile.y_px as usize);
    for (line, ((red, green), blue)) in lines.zip(rows) {
        let pixels = line.chunks_exact(3).skip(tile.x_px as usize);
        for (pixel, ((red, green), blue)) in pixels.zip(red.iter_mut().zip(green).zip(blue)) {
            if let [r, g, b] = *pixel {
                (*red, *green, *blue) = (r, g, b);
            }
        }
    }
}

/// The picture at half its size: each pixel is the mean of four. An odd row or column at the end is left out, unless
/// it is the only one.
#[must_use]
pub fn halved(picture: &Picture) -> Picture {
    let (width_px, height_px) = (
        picture.width_px.div_euclid(2).max(1),
        picture.height_px.div_euclid(2).max(1),
    );
    let line_bytes = picture.width_px as usize * 3;
    let mut rgb = Vec::with_capacity(width_px as usize * height_px as usize * 3);
    for lines in picture
        .rgb
        .chunks(2 * line_bytes.max(1))
        .take(height_px as usize)
    {
        let (upper, lower) = lines.split_at(line_bytes.min(lines.len()));
        let lower = if lower.is_empty() { upper } else { lower };
        for (above, below) in upper.chunks(6).zip(lower.chunks(6)).take(width_px as usize) {
            for channel in 0..3 {
                let of = |pixels: &[u8], at: usize| pixels.get(at).copied().map_or(0, u16::from);
                let right = if above.len() == 6 {
                    channel + 3
                } else {
                    channel
                };
                let sum =
                    of(above, channel) + of(above, right) + of(below, channel) + of(below, right);
                rgb.push(u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX));
            }
        }
    }
    Picture {
        width_px,
        height_px,
        rgb,
    }
}
