"""Portraits as the desk shows them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from celebrities.models import Portrait


def show_thumbnail(portrait: Portrait | None, width: int = 48) -> SafeString | str:
    """The portrait's smallest thumbnail, or a dash if it has none."""
    url = portrait.thumbnail_url(160) if portrait else ""
    if not url:
        return "–"
    return format_html(
        '<img src="{}" width="{}" height="{}" alt="" loading="lazy">', url, width, width * 5 // 4
    )


def show_picture(portrait: Portrait, *, faces: Sequence[Sequence[float]] = ()) -> SafeString | str:
    """The whole picture with boxes around the faces, numbered if there are several. ``faces``
    are [left, top, right, bottom] in pixels; by default the face that the portrait has."""
    if not portrait.width:
        return "–"
    faces = faces or ([portrait.box] if portrait.box else [])
    boxes = format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', map(_place, faces))
    if len(faces) > 1:
        size = max(portrait.width, portrait.height) // 20
        numbered = [(face[0], face[1] + size, size, at) for at, face in enumerate(faces, 1)]
        boxes += format_html_join("", '<text x="{}" y="{}" font-size="{}">{}</text>', numbered)
    return format_html(
        '<span class="desk-picture"><img src="{}" width="{}" height="{}" alt="" loading="lazy">'
        '<svg viewBox="0 0 {} {}" aria-hidden="true">{}</svg></span>',
        *(portrait.image.url, portrait.width, portrait.height),
        *(portrait.width, portrait.height, boxes),
    )


def _place(box: Sequence[float]) -> tuple[str, ...]:
    left, top, right, bottom = box
    return tuple(f"{side:.1f}" for side in (left, top, right - left, bottom - top))
