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
