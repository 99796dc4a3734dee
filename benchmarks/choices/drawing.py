"""What covers a face, drawn on it: glasses, a hat, a mask, a hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.choices.portraits import Portrait
from lookalike.faces.alignment import Points
from lookalike.faces.types import Pixels

Guise = Callable[[Portrait, np.random.Generator], Pixels]


class Pencil:
    """Draws in the face's own coordinates: the eyes' middle is the origin, x to the right eye
    as seen, y to the mouth, 1 is the unit."""

    def __init__(self, portrait: Portrait) -> None:
        self.image = Image.fromarray(portrait.pixels).copy()
        self._draw = ImageDraw.Draw(self.image)
        self._origin = portrait.landmarks[:2].mean(axis=0)
        self._down = portrait.landmarks[3:].mean(axis=0) - self._origin
        self._across = np.array([self._down[1], -self._down[0]])
        self.eyes = [self.locate(point) for point in portrait.landmarks[:2]]
        self.unit = portrait.unit

    def locate(self, point: Points) -> tuple[float, float]:
        offset = point - self._origin
        square = float(self._down @ self._down)
        return float(offset @ self._across) / square, float(offset @ self._down) / square

    def place(self, x: float, y: float) -> tuple[float, float]:
        at = self._origin + x * self._across + y * self._down
        return float(at[0]), float(at[1])

    def fill(self, points: list[tuple[float, float]], colour: tuple[int, ...]) -> None:
        self._draw.polygon([self.place(*point) for point in points], fill=colour)

    def line(self, points: list[tuple[float, float]], colour: tuple[int, ...]) -> None:
        width = max(round(0.07 * self.unit), 1)
        self._draw.line([self.place(*point) for point in points], fill=colour, width=width)

    def finish(self) -> Pixels:
        return np.asarray(self.image)


def circle(x: float, y: float, wide: float, high: float) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, 33)
    return [(x + wide * float(np.cos(a)), y + high * float(np.sin(a))) for a in angles]


def wear_glasses(dark: bool) -> Guise:
    def drawn(portrait: Portrait, rng: np.random.Generator) -> Pixels:
        pencil, colour = Pencil(portrait), tuple(rng.integers(0, 60, 3).tolist())
        for x, y in pencil.eyes:
            outline = circle(x, y + 0.03, 0.36, 0.27)
            if dark:
                pencil.fill(outline, colour)
            pencil.line(outline, colour)
        (left, y), (right, _) = pencil.eyes
        pencil.line([(left + 0.36, y), (right - 0.36, y)], colour)
        pencil.line([(left - 0.36, y), (left - 0.9, y - 0.05)], colour)
        pencil.line([(right + 0.36, y), (right + 0.9, y - 0.05)], colour)
        return pencil.finish()

    return drawn


def wear_hat(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """A cap down to just above the eyebrows."""
    pencil, colour = Pencil(portrait), tuple(rng.integers(0, 200, 3).tolist())
    brim = -rng.uniform(0.5, 0.65)
    pencil.fill([(-1.25, brim), (1.25, brim), (1.05, -2.2), (-1.05, -2.2)], colour)
    pencil.line([(-1.3, brim), (1.3, brim)], tuple(value // 2 for value in colour))
    return pencil.finish()


def wear_mask(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """A surgeon's mask from the nose's bridge to under the chin."""
    pencil, colour = Pencil(portrait), tuple(rng.integers(120, 240, 3).tolist())
    shape = [(-0.95, 0.4), (0, 0.3), (0.95, 0.4), (0.85, 1.3), (0, 1.85), (-0.85, 1.3)]
    pencil.fill(shape, colour)
    return pencil.finish()


def hold_hand(portrait: Portrait, rng: np.random.Generator) -> Pixels:
    """A palm's shape over one eye and cheek, in a colour of the face's own skin."""
    pencil, side = Pencil(portrait), rng.choice([-1, 1])
    x, y = portrait.landmarks[2].astype(int)
    skin = tuple((portrait.pixels[y, x] * 0.9).astype(int).tolist())
    pencil.fill(circle(side * 0.6, 0.35, 0.55, 0.95), skin)
    return pencil.finish()
