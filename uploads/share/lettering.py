"""Text in pictures, in any script that a font is there for. Noto Sans, bundled, has Latin, Greek
and Cyrillic; FiraGO, of the package pymupdf-fonts, Arabic, Devanagari, Georgian, Hebrew and Thai.
Chinese, Japanese and Korean need installed fonts (Debian: fonts-droid-fallback, fonts-nanum)."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont, features
from pymupdf_fonts import fontbuffers

BUNDLED_FONT = Path(__file__).resolve().parent / "fonts" / "NotoSans-SemiBold.ttf"
PACKAGED_FONT = Path("pymupdf_fonts/FiraGO_Bold")
INSTALLED_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
    Path("/usr/share/fonts/truetype/nanum/NanumGothicBold.ttf"),
    Path("/System/Library/Fonts/PingFang.ttc"),
    Path("/System/Library/Fonts/AppleSDGothicNeo.ttc"),
)
LEAST_SIZE = 18  # pixels
# Scripts that are wrong, not only ugly, where letters are not joined and ordered by raqm.
_SHAPED = ("ARABIC", "HEBREW", "DEVANAGARI", "THAI")


@cache
def load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    if path != PACKAGED_FONT:
        return ImageFont.truetype(str(path), size)
    return ImageFont.truetype(io.BytesIO(fontbuffers["figbo"]()), size)


def list_fonts() -> list[Path]:
    return [BUNDLED_FONT, PACKAGED_FONT, *(path for path in INSTALLED_FONTS if path.exists())]


def choose_font(text: str) -> Path | None:
    """The first font that can draw all of the text, or None."""
    return next((path for path in list_fonts() if not find_missing(path, text)), None)


def find_missing(path: Path, text: str) -> set[str]:
    """The characters of the text that the font cannot draw."""
    nothing = _drawn(path, "\U0010fffe")
    letters = set("".join(text.split()))
    return {each for each in letters if not _can_shape(each) or _drawn(path, each) == nothing}


def choose_name(names: Iterable[str]) -> tuple[str, Path]:
    """The first name that can be drawn, and its font. Signs that no font has are left out, letters
    never: if no name can be drawn, the first is written in Latin letters."""
    names = [name for name in names if name.strip()]
    for name in names:
        for path in list_fonts():
            missing = find_missing(path, name)
            kept = " ".join("".join(each for each in name if each not in missing).split())
            if any(map(str.isalnum, kept)) and not any(map(_is_letter, missing)):
                return kept, path
    latin = anyascii(names[0]).strip(": ").replace("_", " ") if names else ""
    return latin, BUNDLED_FONT


def draw_fitting(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    font: Path = BUNDLED_FONT,
    size: int,
    width: int,
    fill: str,
    anchor: str = "ls",
) -> None:
    """Draw one line, its baseline at ``place``. The font shrinks from ``size`` to LEAST_SIZE,
    then the text is cut, until it fits ``width``. All in pixels."""
    while size > LEAST_SIZE and load_font(font, size).getlength(text) > width:
        size -= 2
    letters = load_font(font, size)
    if letters.getlength(text) > width:
        while text and letters.getlength(text + "…") > width:
            text = text[:-1]
        text = text.rstrip() + "…"
    draw.text(place, text, font=letters, fill=fill, anchor=anchor)


def wrap(text: str, font: Path, size: int, width: int) -> list[str]:
    """The text as one line, or as two if it is wider than ``width`` pixels."""
    letters = load_font(font, size)
    words = text.split()
    rest: list[str] = []
    while len(words) > 1 and letters.getlength(" ".join(words)) > width:
        rest.insert(0, words.pop())
    return [" ".join(words), " ".join(rest)] if rest else [text]


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN"


def _can_shape(sign: str) -> bool:
    """Whether Pillow has the libraries that join this script's letters and order them."""
    if not unicodedata.name(sign, "").startswith(_SHAPED):
        return True
    return bool(features.check("raqm") and features.check("fribidi"))


@cache
def _drawn(path: Path, character: str) -> bytes:
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((8, 48), character, font=load_font(path, 32), fill=255, anchor="ls")
    return image.tobytes()
