"""One portrait in many guises: what visitors' photos suffer, drawn on it, always the same way.

A guise is a function of a portrait and a seeded generator. Sizes go by the length of the face, so
that a small portrait is harmed as much as a large one.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.choices.drawing import Guise, hold_hand, wear_glasses, wear_hat, wear_mask
from benchmarks.choices.portraits import Portrait
from lookalike.faces.types import Pixels


def draw_guise(portrait: Portrait, name: str) -> Pixels:
    """A portrait in the guise ``name`` of GUISES or HIDING, the same one every time."""
    return draw(portrait, {**GUISES, **HIDING}[name], name)


def draw(portrait: Portrait, guise: Guise, name: str) -> Pixels:
    seed = zlib.crc32(f"{portrait.file} {name}".encode())
    return guise(portrait, np.random.default_rng(seed))


def tilt(pixels: Pixels, degrees: float) -> Pixels:
    """Leaning clockwise by ``degrees``, on a canvas that holds all of it, filled with the
    colour of the border. Quarter turns are exact."""
    turns, rest = divmod(degrees, 90)
    turned = np.ascontiguousarray(np.rot90(pixels, -int(turns)))
    if not rest:
        return turned
    image = Image.fromarray(turned)
    return np.asarray(
        image.rotate(-rest, Image.Resampling.BICUBIC, expand=True, fillcolor=border_colour(turned))
    )


def border_colour(pixels: Pixels) -> tuple[int, int, int]:
    """The median colour of the picture's edges."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(edges, axis=0).astype(int).tolist()
    return red, green, blue


def keep(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    return portrait.pixels


def lean(least: float, most: float) -> Guise:
    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        return tilt(portrait.pixels, rng.uniform(least, most) * rng.choice([-1, 1]) % 360)

    return drawn


def crop(room: float) -> Guise:
    """Cut to the face's box with ``room`` of its width around, moved a little."""

    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        x, y = portrait.landmarks.mean(axis=0) + rng.normal(0, 0.08, 2) * portrait.width
        half = portrait.width * (0.5 + room)
        height, width = portrait.pixels.shape[:2]
        left, right = int(max(x - half, 0)), int(min(x + half, width))
        top, bottom = int(max(y - 1.25 * half, 0)), int(min(y + 1.25 * half, height))
        return np.ascontiguousarray(portrait.pixels[top:bottom, left:right])

    return drawn


def stand_far(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """The portrait somewhere on a wall three times as wide."""
    height, width = portrait.pixels.shape[:2]
    wall = Image.new("RGB", (3 * width, 2 * height), border_colour(portrait.pixels))
    place = int(rng.integers(0, 2 * width)), int(rng.integers(0, height))
    wall.paste(Image.fromarray(portrait.pixels), place)
    return np.asarray(wall)


def curve(strength: float) -> Guise:
    """Darker (over 1) or brighter (under 1) by a gamma of that strength, then less contrast."""

    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        table = 255 * (np.arange(256) / 255) ** (strength * rng.uniform(0.8, 1.25))
        return np.take(table.astype(np.uint8), portrait.pixels)

    return drawn


def fade(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    share = rng.uniform(0.2, 0.4)
    return (portrait.pixels * share + rng.uniform(40, 140)).clip(0, 255).astype(np.uint8)


def blur(least: float, most: float) -> Guise:
    """Gaussian, radius in shares of the unit."""

    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        radius = rng.uniform(least, most) * portrait.unit
        return np.asarray(Image.fromarray(portrait.pixels).filter(ImageFilter.GaussianBlur(radius)))

    return drawn


def shake(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """Moved sideways while the shutter was open."""
    steps = max(int(rng.uniform(0.1, 0.25) * portrait.unit), 2)
    width = portrait.pixels.shape[1]
    padded = np.pad(portrait.pixels, ((0, 0), (0, steps), (0, 0)), mode="edge").astype(np.float32)
    moved = np.mean([padded[:, at : at + width] for at in range(steps)], axis=0)
    return np.asarray(moved, np.uint8)


def add_noise(least: float, most: float) -> Guise:
    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        noise = rng.normal(0, rng.uniform(least, most), portrait.pixels.shape)
        return (portrait.pixels + noise).clip(0, 255).astype(np.uint8)

    return drawn


def shrink(least: float, most: float) -> Guise:
    """Until the face is that many pixels wide, on a photo no smaller than it was."""

    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        factor = min(rng.uniform(least, most) / portrait.width, 1.0)
        height, width = portrait.pixels.shape[:2]
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        return np.asarray(Image.fromarray(portrait.pixels).resize(size, Image.Resampling.LANCZOS))

    return drawn


def compress(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(portrait.pixels).save(buffer, "JPEG", quality=int(rng.integers(8, 25)))
    return np.asarray(Image.open(buffer))


def half_shadow(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """One half of the face at a fifth to a third of its light, with a soft border."""
    across = np.arange(portrait.pixels.shape[1]) - portrait.landmarks[2, 0]
    side = rng.choice([-1, 1])
    share = 1 / (1 + np.exp(side * across / (0.12 * portrait.unit)))
    light = 1 - share * (1 - rng.uniform(0.2, 0.35))
    return np.asarray(portrait.pixels * light[None, :, None], np.uint8)


def tint(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    return (portrait.pixels * rng.uniform(0.6, 1.0, 3)).astype(np.uint8)


def grey(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(portrait.pixels).convert("L").convert("RGB"))


def stand_half_out(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """The picture ends near the nose's line."""
    nose = int(portrait.landmarks[2, 0] + rng.uniform(-0.1, 0.1) * portrait.unit)
    kept = portrait.pixels[:, nose:] if rng.random() < 0.5 else portrait.pixels[:, :nose]
    return np.ascontiguousarray(kept)


GUISES: dict[str, Guise] = {
    "as it is": keep,
    "tilted up to 8": lean(2, 8),
    "tilted 8 to 16": lean(8, 16),
    "tilted 16 to 25": lean(16, 25),
    "cropped close": crop(0.15),
    "cropped": crop(0.5),
    "far away": stand_far,
    "darkened": curve(2.5),
    "bright": curve(0.45),
    "faded": fade,
    "blurred": blur(0.04, 0.10),
    "shaken": shake,
    "noisy": add_noise(15, 40),
    "30 to 40 px": shrink(30, 40),
    "40 to 60 px": shrink(40, 60),
    "recompressed": compress,
    "half in shadow": half_shadow,
    "tinted": tint,
    "grey": grey,
    "glasses": wear_glasses(dark=False),
    "dark glasses": wear_glasses(dark=True),
    "hat": wear_hat,
}
"""What still shows who it is."""

HIDING: dict[str, Guise] = {
    "mask": wear_mask,
    "hand": hold_hand,
    "half out": stand_half_out,
    "very blurred": blur(0.2, 0.35),
    "very noisy": add_noise(80, 120),
}
"""What leaves little to compare."""
