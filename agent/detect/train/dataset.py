"""The random crops that the network learns from, and what it should answer to them.

Crops are cut at the photograph's own resolution, because that is how the trap looks at a card.
"""

import cv2
import numpy as np

from conditions import exposure, weather

STRIDE_PX = 8
# A box is learned as the natural logarithm of its four distances, in pixels, kept inside this range.
DISTANCE_PX_MIN, DISTANCE_PX_MAX = 1.0, 256.0


def crop(photographs, tile_px, rng, calm_share=0.0):
    """One augmented crop: (tile u8 3xTxT, boxes Nx4 as x0 y0 x1 y1, is_cut N) in tile pixels.

    `calm_share` of the crops look as the photographs do, but for a little light and scale.
    """
    is_calm = rng.random() < calm_share
    index = rng.integers(len(photographs.pixels))
    pixels, boxes = photographs.pixels[index], photographs.boxes[index]
    height_px, width_px = pixels.shape[:2]
    # Most crops are near the photograph's own scale; some are far off, as other lenses and cameras are.
    scale = np.exp(rng.uniform(-0.25, 0.25) if is_calm or rng.random() < 0.65 else rng.uniform(-0.6, 0.75))
    window_px = min(int(round(tile_px / scale)), height_px, width_px)
    scale = tile_px / window_px
    if len(boxes) and rng.random() < 0.75:
        x, y, w, h = boxes[rng.integers(len(boxes))]
        left = x + w / 2 - window_px * rng.uniform(0.05, 0.95)
        top = y + h / 2 - window_px * rng.uniform(0.05, 0.95)
    else:
        left, top = rng.uniform(0, width_px - window_px + 1), rng.uniform(0, height_px - window_px + 1)
    left = int(np.clip(left, 0, width_px - window_px))
    top = int(np.clip(top, 0, height_px - window_px))

    tile = pixels[top : top + window_px, left : left + window_px]
    if window_px != tile_px:
        way = cv2.INTER_AREA if window_px > tile_px else cv2.INTER_LINEAR
        tile = cv2.resize(tile, (tile_px, tile_px), interpolation=way)
    tile = exposure(tile, rng) if is_calm else weather(tile, rng)

    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    corners = (corners - [left, top, left, top]) * scale
    clipped = corners.clip(0, tile_px)
    whole = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    inside = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1])
    visible = inside / np.maximum(whole, 1e-6)
    keep = visible > 0.05
    tile, clipped = turn(tile, clipped[keep], tile_px, rng)
    # Less than half of an insect teaches nothing about insects: neither reward nor punish it.
    return np.ascontiguousarray(tile.transpose(2, 0, 1)), clipped, visible[keep] < 0.5


def turn(tile, corners, tile_px, rng):
    """A random one of the eight flips and quarter turns; an insect has no upright."""
    if rng.random() < 0.5:
        tile = tile[:, ::-1]
        corners = np.stack([tile_px - corners[:, 2], corners[:, 1], tile_px - corners[:, 0], corners[:, 3]], 1)
    for _ in range(rng.integers(4)):
        tile = np.rot90(tile)
        corners = np.stack([corners[:, 1], tile_px - corners[:, 2], corners[:, 3], tile_px - corners[:, 0]], 1)
    return tile, corners


def targets(corners, is_cut, tile_px):
    """What the head should answer for one tile.

    Returns heat (GxG, 1 at centres, falling off as a Gaussian), care (GxG, 0 where the heat is not judged),
    distances (4xGxG: left, top, right, bottom in pixels from the cell's centre) and weight (GxG for the distances).
    """
    grid = tile_px // STRIDE_PX
    heat, care = np.zeros((grid, grid), np.float32), np.ones((grid, grid), np.float32)
    distances, weight = np.ones((4, grid, grid), np.float32), np.zeros((grid, grid), np.float32)
    centres = (np.arange(grid, dtype=np.float32) + 0.5) * STRIDE_PX
    # Large first, so that a small insect on a large one owns its cells.
    for i in np.argsort(-(corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])):
        x0, y0, x1, y1 = corners[i]
        if is_cut[i]:
            rows, columns = (centres > y0) & (centres < y1), (centres > x0) & (centres < x1)
            care[np.ix_(rows, columns)] = 0
            continue
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        sx, sy = max((x1 - x0) / 6, 3.0), max((y1 - y0) / 6, 3.0)
        bump = np.exp(-((centres[None, :] - cx) ** 2) / (2 * sx**2) - ((centres[:, None] - cy) ** 2) / (2 * sy**2))
        row, column = (min(int(c / STRIDE_PX), grid - 1) for c in (cy, cx))
        bump[row, column] = 1.0
        heat = np.maximum(heat, bump)
        near = bump > 0.3
        reach = np.stack(
            np.broadcast_arrays(
                centres[None, :] - x0, centres[:, None] - y0, x1 - centres[None, :], y1 - centres[:, None]
            )
        )
        distances[:, near] = reach[:, near].clip(DISTANCE_PX_MIN, DISTANCE_PX_MAX)
        weight[near] = bump[near]
    care[heat > 0.99] = 1
    return heat, care, distances, weight
