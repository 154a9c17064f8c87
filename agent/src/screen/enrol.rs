//! A QR code for a phone, with a few words beside it.
//!
//! A phone wants dark modules on light ground with a margin, so on an OLED the
//! ground is what shines. Modules of less than two pixels are too fine for a
//! phone's camera: then there is no code, and the words have to do.

use super::layout::{self, Row};
use embedded_graphics::geometry::Point;
use qrcodegen::{QrCode, QrCodeEcc};
use trapline_hal::{Canvas, PanelSize};

/// Rows of words beside the code.
pub(super) const ROWS_MAX: usize = 3;
const MODULE_PIXELS_MIN: u32 = 2;
/// The standard asks for four; readers live with less, but not with none.
const MARGIN_MODULES: u32 = 1;

/// Whether `scan` becomes a code that a phone can read.
pub(super) fn fits(scan: &str, size: PanelSize) -> bool {
    code(scan, size).is_some()
}

/// How many characters a row beside the code holds.
pub(super) fn row_chars(size: PanelSize) -> usize {
    let room = size.width().saturating_sub(size.height() + GAP_PIXELS);
    usize::try_from(room / layout::largest(size).character_size.width).unwrap_or(0)
}

const GAP_PIXELS: u32 = 6;

/// The code and how many pixels a module has, if there is room.
fn code(scan: &str, size: PanelSize) -> Option<(QrCode, u32)> {
    let code = QrCode::encode_text(scan, QrCodeEcc::Low).ok()?;
    let modules = u32::try_from(code.size()).ok()? + 2 * MARGIN_MODULES;
    let pixels = size.height() / modules;
    (pixels >= MODULE_PIXELS_MIN).then_some((code, pixels))
}

/// Draws the code on the left and the words on the right.
pub(super) fn draw(canvas: &mut Canvas, scan: &str, rows: &[String]) {
    let size = canvas.panel_size();
    let side = size.height();
    let Some((code, pixels)) = code(scan, size) else {
        return;
    };
    let modules = u32::try_from(code.size()).unwrap_or(0);
    let margin = (side - modules * pixels) / 2;
    for y in 0..side {
        for x in 0..side {
            let module =
                |at: u32| -> Option<i32> { i32::try_from(at.checked_sub(margin)? / pixels).ok() };
            let dark = match (module(x), module(y)) {
                (Some(x), Some(y)) => code.get_module(x, y),
                _ => false,
            };
            canvas.set(x, y, dark != size.ink_shines());
        }
    }
    let font = layout::largest(size);
    let pitch = side / u32::try_from(ROWS_MAX).unwrap_or(1);
    for (row, words) in (0_u32..).zip(rows) {
        let at = Point::new(
            i32::try_from(side + GAP_PIXELS).unwrap_or(0),
            i32::try_from(row * pitch + (pitch - font.character_size.height) / 2).unwrap_or(0),
        );
        layout::write(canvas, &Row { words, font, at });
    }
}
