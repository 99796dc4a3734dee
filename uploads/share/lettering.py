"""Text in pictures: one font file of the project's own, and what to do where it ends.

The font, Noto Sans, has Latin, Greek and Cyrillic. A name in another script is drawn with a
font of this machine that has it, or gives way to another of the person's names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

OWN_FONT = Path(__file__).resolve().parent / "fonts" / "NotoSans-SemiBold.ttf"
MACHINE_FONTS = tuple(
    Path(path)
    for path in (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/truetype/noto/NotoSansArabic-Bold.ttf",
        "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Bold.ttf",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
        "/System/Library/Fonts/PingFang.ttc",
    )
)
_NO_SUCH_SIGN = "\U0010fffe"


@cache
def load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def choose_font(text: str) -> Path | None:
    """The first font that has every sign of the text, or None."""
    for path in (OWN_FONT, *MACHINE_FONTS):
        if (path == OWN_FONT or path.exists()) and has_signs(path, text):
            return path
    return None


def has_signs(path: Path, text: str) -> bool:
    """Whether the font draws each sign of the text as something of its own."""
    if _runs_leftwards(text) and not (features.check("raqm") and features.check("fribidi")):
        # Without these libraries Pillow would draw the letters apart and in wrong order.
        return False
    return all(_has_sign(path, sign) for sign in set(text) if not sign.isspace())


def choose_name(names: Iterable[str]) -> tuple[str, Path]:
    """The first name that can be drawn, with the font for it; nothing when none can."""
    for name in names:
        font = choose_font(name)
        if name and font is not None:
            return name, font
    return "", OWN_FONT


def draw_fitting(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    font: Path = OWN_FONT,
    size: int,
    width: int,
    fill: str,
) -> None:
    """One line with its baseline's left end at ``place``: smaller, then cut, so that it is
    at most ``width`` pixels wide. Sizes are in pixels."""
    while size > 18 and load_font(font, size).getlength(text) > width:
        size -= 2
    letters = load_font(font, size)
    if letters.getlength(text) > width:
        while text and letters.getlength(text + "…") > width:
            text = text[:-1]
        text = text.rstrip() + "…"
    draw.text(place, text, font=letters, fill=fill, anchor="ls")


@cache
def _has_sign(path: Path, sign: str) -> bool:
    return _drawn(path, sign) != _drawn(path, _NO_SUCH_SIGN)


@cache
def _drawn(path: Path, sign: str) -> bytes:
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((8, 48), sign, font=load_font(path, 32), fill=255, anchor="ls")
    return image.tobytes()


def _runs_leftwards(text: str) -> bool:
    return any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text)
