"""What the field does to a picture of a card: light, lens, camera, compression, and dirt that is no insect.

Each function takes and returns a tile, TxTx3 u8 RGB, and draws its chance from the generator passed in.
"""

import cv2
import numpy as np


def weather(tile, rng):
    """A random mixture of everything below, in the order in which it happens on the way to the file."""
    tile = litter(tile, rng)
    tile = light(tile, rng)
    tile = colour(tile, rng)
    tile = lens(tile, rng)
    return camera(tile, rng)


def litter(tile, rng):
    """Lines of a printed grid, writing, hairs and legs, specks of dirt: all there, and none of it an insect."""
    side = tile.shape[0]
    chance = rng.random(4)
    if chance.min() > 0.12:
        return tile
    tile = np.ascontiguousarray(tile).copy()

    def ink():
        return tuple(int(v) for v in (rng.uniform(10, 110) + rng.uniform(-10, 10, 3)).clip(0, 255))

    if chance[0] < 0.12:
        pitch, offset, colour_, wide = rng.uniform(40, 160), rng.uniform(0, 60), ink(), int(rng.integers(1, 4))
        for at in np.arange(offset, side, pitch).astype(int).tolist():
            cv2.line(tile, (at, 0), (at, side), colour_, wide, cv2.LINE_AA)
            if pitch < 120:
                cv2.line(tile, (0, at), (side, at), colour_, wide, cv2.LINE_AA)
    if chance[1] < 0.06:
        text = "".join(chr(c) for c in rng.integers(48, 123, rng.integers(3, 12)))
        at = (int(rng.uniform(-40, side * 0.7)), int(rng.uniform(20, side)))
        size, wide = rng.uniform(0.5, 3), int(rng.integers(1, 5))
        cv2.putText(tile, text, at, int(rng.integers(0, 8)), size, ink(), wide, cv2.LINE_AA)
    if chance[2] < 0.10:
        for _ in range(rng.integers(1, 6)):
            step = rng.normal(0, rng.uniform(2, 12), (rng.integers(2, 7), 2))
            points = (rng.uniform(0, side, 2) + np.cumsum(np.cumsum(step * 0.6, 0), 0)).astype(np.int32)
            cv2.polylines(tile, [points], False, ink(), 1, cv2.LINE_AA)
    if chance[3] < 0.12:
        for _ in range(rng.integers(3, 40)):
            centre = tuple(int(v) for v in rng.uniform(0, side, 2))
            axes = tuple(int(v) for v in rng.integers(1, 4, 2))
            cv2.ellipse(tile, centre, axes, rng.uniform(0, 180), 0, 360, ink(), -1, cv2.LINE_AA)
    return tile


def light(tile, rng):
    """Uneven light, a shadow's edge, and glare of the glue."""
    side = tile.shape[0]
    chance = rng.random(3)
    if chance[0] < 0.3:
        field = rng.uniform(0.6, 1.25, (3, 3)).astype(np.float32)
        field = cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
        tile = (tile * field[:, :, None]).clip(0, 255).astype(np.uint8)
    if chance[1] < 0.1:
        mask = np.zeros((side, side), np.float32)
        corners = rng.uniform(-0.3 * side, 1.3 * side, (4, 2)).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(corners), 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 12))
        tile = (tile * (1 - mask * rng.uniform(0.2, 0.6))[:, :, None]).astype(np.uint8)
    if chance[2] < 0.1:
        glare = np.zeros((side, side), np.float32)
        for _ in range(rng.integers(1, 6)):
            centre = tuple(int(v) for v in rng.uniform(0, side, 2))
            axes = tuple(int(v) for v in rng.integers(2, 50, 2))
            cv2.ellipse(glare, centre, axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        glare = cv2.GaussianBlur(glare, (0, 0), rng.uniform(1, 10))
        tile = (tile + glare[:, :, None] * rng.uniform(60, 255)).clip(0, 255).astype(np.uint8)
    return tile


def colour(tile, rng):
    """Exposure, contrast and white balance; now and then another card's colour, a missing infrared filter, or grey."""
    chance = rng.random(3)
    mix, shift = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    if chance[0] < 0.85:
        mean, contrast = tile.mean(), rng.uniform(0.65, 1.4)
        gain = rng.uniform(0.86, 1.14, 3).astype(np.float32)
        mix *= contrast * gain[:, None]
        shift += (mean * (rng.uniform(0.6, 1.35) - contrast)) * gain
    if chance[1] < 0.25:
        away = rng.uniform(-0.45, 0.45, (3, 3)).astype(np.float32)
        mix = (np.eye(3, dtype=np.float32) + away - away.mean(1, keepdims=True)) @ mix
        shift += rng.uniform(-25, 25, 3).astype(np.float32)
    elif chance[1] < 0.33:
        grey = np.full((3, 3), 1 / 3, np.float32)
        share = rng.uniform(0.5, 1.0)
        mix = ((1 - share) * np.eye(3, dtype=np.float32) + share * grey) @ mix
    elif chance[1] < 0.43:
        mix = mix[rng.permutation(3)]
        shift = shift[rng.permutation(3)]
    tile = cv2.transform(tile, np.concatenate([mix, shift[:, None]], 1))
    if chance[2] < 0.3:
        curve = (np.linspace(0, 1, 256) ** rng.uniform(0.6, 1.6) * 255).astype(np.uint8)
        tile = cv2.LUT(tile, curve)
    return tile


def exposure(tile, rng):
    """What one camera does from day to day: a little brighter or darker, a little warmer or colder."""
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3).astype(np.float32)
    return cv2.transform(tile, np.diag(gain).astype(np.float32))


def lens(tile, rng):
    """Out of focus, moved, or fewer pixels than the file pretends."""
    chance = rng.random()
    side = tile.shape[0]
    if chance < 0.15:
        return cv2.GaussianBlur(tile, (0, 0), rng.uniform(0.4, 1.6))
    if chance < 0.2:
        length = int(rng.integers(2, 7))
        kernel = np.zeros((length * 2 + 1,) * 2, np.float32)
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        first, last = (tuple(int(round(v)) for v in length + sign * reach) for sign in (-1, 1))
        cv2.line(kernel, first, last, 1.0)
        return cv2.filter2D(tile, -1, kernel / kernel.sum())
    if chance < 0.28:
        small = int(side * rng.uniform(0.5, 0.95))
        less = cv2.resize(tile, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(less, (side, side), interpolation=cv2.INTER_LINEAR)
    if chance < 0.34:
        soft = cv2.GaussianBlur(tile, (0, 0), rng.uniform(0.8, 2.0))
        gain = rng.uniform(0.5, 1.5)
        return cv2.addWeighted(tile, 1 + gain, soft, -gain, 0)
    return tile


def camera(tile, rng):
    """Noise of the sensor and blocks of the JPEG."""
    chance = rng.random(2)
    if chance[0] < 0.25:
        shape = tile.shape if rng.random() < 0.6 else (*tile.shape[:2], 1)
        noise = rng.standard_normal(shape, np.float32) * rng.uniform(1, 9)
        tile = (tile + noise).clip(0, 255).astype(np.uint8)
    if chance[1] < 0.25:
        _, packed = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 85))])
        tile = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return tile
