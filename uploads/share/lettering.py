"""Text in pictures. The bundled font, Noto Sans, has Latin, Greek and Cyrillic. A name in another
script is drawn with an installed font, or replaced by another of the person's names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

BUNDLED_FONT = Path(__file__).resolve().parent / "fonts" / "NotoSans-SemiBold.ttf"
INSTALLED_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/noto/NotoSansArabic-Bold.ttf"),
    Path("/usr/share/fonts/truetype/noto/NotoSansDevanagari-Bold.ttf"),
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    Path("/System/Library/Fonts/PingFang.ttc"),
)


@cache
def load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def choose_font(text: str) -> Path | None:
    """The first font that has a glyph for each character, or None."""
    for path in (BUNDLED_FONT, *INSTALLED_FONTS):
        if (path == BUNDLED_FONT or path.exists()) and has_glyphs(path, text):
            return path
    return None


def has_glyphs(path: Path, text: str) -> bool:
    """Whether the font has a glyph for each character of the text."""
    right_to_left = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text)
    if right_to_left and not (features.check("raqm") and features.check("fribidi")):
        # Without these libraries Pillow would neither join the letters nor reverse their order.
        return False
    missing = _drawn(path, "\U0010fffe")
    return all(_drawn(path, letter) != missing for letter in set("".join(text.split())))


def choose_name(names: Iterable[str]) -> tuple[str, Path]:
    """The first name that can be drawn, and its font. An empty name if none can."""
    for name in names:
        font = choose_font(name)
        if name and font is not None:
            return name, font
    return "", BUNDLED_FONT


def draw_fitting(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    font: Path = BUNDLED_FONT,
    size: int,
    width: int,
    fill: str,
) -> None:
    """Draw one line, its baseline starting at ``place``. The font shrinks from ``size`` to 18,
    then the text is cut, until it fits ``width``. All in pixels."""
    while size > 18 and load_font(font, size).getlength(text) > width:
        size -= 2
    letters = load_font(font, size)
    if letters.getlength(text) > width:
        while text and letters.getlength(text + "…") > width:
            text = text[:-1]
        text = text.rstrip() + "…"
    draw.text(place, text, font=letters, fill=fill, anchor="ls")


@cache
def _drawn(path: Path, character: str) -> bytes:
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((8, 48), character, font=load_font(path, 32), fill=255, anchor="ls")
    return image.tobytes()
