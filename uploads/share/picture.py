"""The picture to share: two faces side by side. It is drawn on request and never stored."""

from __future__ import annotations

import io

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageOps

from uploads.crops import open_chips
from uploads.models import Match, UploadedFace
from uploads.share.lettering import choose_name, draw_fitting

SIZE = (1200, 630)
SIDE = 410
EDGE = 60
INK, QUIET, ACCENT = "#14211f", "#50605c", "#0d5750"


def draw_share_picture(face: UploadedFace, match: Match) -> bytes:
    """A PNG of SIZE pixels without metadata, in the active language.

    Raises FileNotFoundError if a chip is missing.
    """
    picture = Image.new("RGB", SIZE, "#f4f6f1")
    draw = ImageDraw.Draw(picture)
    for number, chip in enumerate(open_chips(face, match.portrait)):
        picture.paste(ImageOps.fit(chip, (SIDE, SIDE)), (EDGE + number * (SIDE + 20), EDGE))
    _write_number(draw, match)
    _write_words(draw, match)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _write_number(draw: ImageDraw.ImageDraw, match: Match) -> None:
    left = EDGE + 2 * SIDE + 60
    width = SIZE[0] - EDGE - left
    draw_fitting(draw, (left, 250), str(match.number), size=128, width=width, fill=ACCENT)
    draw_fitting(draw, (left, 300), _("of 100"), size=36, width=width, fill=QUIET)
    draw.rectangle((left, 330, left + width, 342), fill="#d5dcd5")
    draw.rectangle((left, 330, left + width * match.number // 100, 342), fill=ACCENT)


def _write_words(draw: ImageDraw.ImageDraw, match: Match) -> None:
    celebrity, portrait = match.celebrity, match.portrait
    name, font = choose_name([celebrity.name, *celebrity.other_names.splitlines()])
    draw_fitting(draw, (EDGE, 528), name, font=font, size=46, width=820, fill=INK)
    said = match.phrase
    if celebrity.is_fictional:
        said = _("%(phrase)s (a fictional person)") % {"phrase": said}
    draw_fitting(draw, (EDGE, 570), said, size=28, width=820, fill=QUIET)
    place = (EDGE + 2 * SIDE + 60, 570)
    draw_fitting(draw, place, settings.SITE_NAME, size=34, width=260, fill=ACCENT)
    credit = " · ".join(part for part in (portrait.author, portrait.licence) if part)
    if credit:
        credit, font = choose_name([_("Portrait: %(credit)s") % {"credit": credit}])
        width = SIZE[0] - 2 * EDGE
        draw_fitting(draw, (EDGE, 606), credit, font=font, size=18, width=width, fill=QUIET)
