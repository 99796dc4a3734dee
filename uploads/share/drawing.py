"""Draws the picture to share: the faces, who it is, and the way to the site.

``python -m uploads.share.drawing`` reads a card as JSON from standard input, and writes the PNG to
standard output.
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass

import segno
from PIL import Image, ImageDraw, ImageOps

from uploads.share.card import SIZES, Card
from uploads.share.lettering import BUNDLED_FONT, choose_name, draw_fitting, wrap

PAPER, INK, QUIET, ACCENT = "#f4f6f1", "#14211f", "#50605c", "#0d5750"
CREDIT_SIZE = 18


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand, in pixels. ``faces`` is (left, top, width, height) of what they share;
    the words begin at ``words`` and are ``width`` wide; ``scale`` is that of the letters; ``foot``
    is the corner of code and question, whose side is ``code``; ``credit`` is a baseline."""

    faces: tuple[int, int, int, int]
    words: tuple[int, int]
    width: int
    scale: float
    foot: tuple[int, int]
    code: int
    credit: tuple[int, int]


LAYOUTS = {
    "square": Layout((0, 0, 1080, 540), (60, 580), 960, 1.0, (60, 830), 170, (60, 1056)),
    # Phones lay their own things over the upper 250 and the lower 250 pixels of a story.
    "story": Layout((60, 260, 960, 660), (60, 1000), 960, 1.15, (60, 1320), 300, (60, 1670)),
    "wide": Layout((0, 0, 600, 630), (650, 100), 500, 0.8, (650, 380), 150, (650, 606)),
}


def draw(card: Card) -> bytes:
    """A PNG of the card's size without metadata."""
    layout = LAYOUTS[card.shape]
    picture = Image.new("RGB", SIZES[card.shape], PAPER)
    _paste_faces(picture, card, layout)
    canvas = ImageDraw.Draw(picture)
    _write_words(canvas, card, layout)
    _write_foot(canvas, card, layout)
    _write_credit(canvas, card, layout)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _paste_faces(picture: Image.Image, card: Card, layout: Layout) -> None:
    left, top, width, height = layout.faces
    each = width // len(card.faces)
    for place, data in enumerate(card.faces):
        with Image.open(io.BytesIO(data)) as chip:
            face = ImageOps.fit(chip.convert("RGB"), (each, height), Image.Resampling.LANCZOS)
        picture.paste(face, (left + place * each, top))
    if len(card.faces) > 1:
        middle = left + each
        ImageDraw.Draw(picture).rectangle((middle - 3, top, middle + 2, top + height), fill=PAPER)


def _write_words(canvas: ImageDraw.ImageDraw, card: Card, layout: Layout) -> None:
    name, font = choose_name(card.names)
    (left, top), scale = layout.words, layout.scale
    lines = (
        (card.intro, 32, QUIET, BUNDLED_FONT, 24),
        (name, 68, INK, font, 84),
        (card.said, 36, ACCENT, BUNDLED_FONT, 62),
        (card.likeness, 28, QUIET, BUNDLED_FONT, 46),
    )
    baseline = float(top)
    for text, size, fill, letters, drop in lines:
        baseline += drop * scale
        place, size = (left, round(baseline)), round(size * scale)
        width = layout.width
        draw_fitting(canvas, place, text, font=letters, size=size, width=width, fill=fill)


def _write_foot(canvas: ImageDraw.ImageDraw, card: Card, layout: Layout) -> None:
    (left, top), side, scale = layout.foot, layout.code, layout.scale
    _draw_code(canvas, card.address, (left, top), side)
    beside = left + side + round(30 * scale)
    width = left + layout.width - beside
    middle = top + side // 2
    address = card.address.split("://")[-1].rstrip("/")
    for text, size, fill, down in (
        (card.question, 44, INK, -22),
        (address, 34, ACCENT, 30),
        (card.site if card.site != address else "", 26, QUIET, 72),
    ):
        place = (beside, middle + round(down * scale))
        draw_fitting(canvas, place, text, size=round(size * scale), width=width, fill=fill)


def _write_credit(canvas: ImageDraw.ImageDraw, card: Card, layout: Layout) -> None:
    credit, font = choose_name([card.credit])
    left, baseline = layout.credit
    lines = wrap(credit, font, CREDIT_SIZE, layout.width)
    for line in reversed(lines):
        place = (left, baseline)
        draw_fitting(
            canvas, place, line, font=font, size=CREDIT_SIZE, width=layout.width, fill=QUIET
        )
        baseline -= CREDIT_SIZE + 4


def _draw_code(
    canvas: ImageDraw.ImageDraw, address: str, place: tuple[int, int], side: int
) -> None:
    """A QR code with its quiet margin, as large as whole pixels a square allow."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=2)]
    pixels = side // len(rows)
    left, top = place
    canvas.rectangle((left, top, left + pixels * len(rows), top + pixels * len(rows)), fill="white")
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            if is_dark:
                corner = (left + x * pixels, top + y * pixels)
                end = (corner[0] + pixels - 1, corner[1] + pixels - 1)
                canvas.rectangle((*corner, *end), fill=INK)


if __name__ == "__main__":
    os.nice(10)  # Pages come first.
    sys.stdout.buffer.write(draw(Card.from_json(sys.stdin.buffer.read())))
