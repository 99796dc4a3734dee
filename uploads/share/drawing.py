"""Draws the picture to share: two faces side by side.

``python -m uploads.share.drawing`` reads a card as JSON from standard input, and writes the PNG to
standard output.
"""

from __future__ import annotations

import io
import sys

from PIL import Image, ImageDraw, ImageOps

from uploads.share.card import Card
from uploads.share.lettering import choose_name, draw_fitting

SIZE = (1200, 630)
SIDE = 410
EDGE = 60
INK, QUIET, ACCENT = "#14211f", "#50605c", "#0d5750"


def draw(card: Card) -> bytes:
    """A PNG of SIZE pixels without metadata."""
    picture = Image.new("RGB", SIZE, "#f4f6f1")
    canvas = ImageDraw.Draw(picture)
    for data, left in zip(card.faces, (EDGE, EDGE + SIDE + 20), strict=True):
        with Image.open(io.BytesIO(data)) as chip:
            picture.paste(ImageOps.fit(chip.convert("RGB"), (SIDE, SIDE)), (left, EDGE))
    _write_number(canvas, card)
    _write_words(canvas, card)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _write_number(draw: ImageDraw.ImageDraw, card: Card) -> None:
    left = EDGE + 2 * SIDE + 60
    width = SIZE[0] - EDGE - left
    draw_fitting(draw, (left, 250), str(card.number), size=128, width=width, fill=ACCENT)
    draw_fitting(draw, (left, 300), card.of_100, size=36, width=width, fill=QUIET)
    draw.rectangle((left, 330, left + width, 342), fill="#d5dcd5")
    draw.rectangle((left, 330, left + width * card.number // 100, 342), fill=ACCENT)


def _write_words(draw: ImageDraw.ImageDraw, card: Card) -> None:
    name, font = choose_name(card.names)
    draw_fitting(draw, (EDGE, 528), name, font=font, size=46, width=820, fill=INK)
    draw_fitting(draw, (EDGE, 570), card.said, size=28, width=820, fill=QUIET)
    place = (EDGE + 2 * SIDE + 60, 570)
    draw_fitting(draw, place, card.site, size=34, width=260, fill=ACCENT)
    credit, font = choose_name([card.credit])
    width = SIZE[0] - 2 * EDGE
    draw_fitting(draw, (EDGE, 606), credit, font=font, size=18, width=width, fill=QUIET)


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(Card.from_json(sys.stdin.buffer.read())))
