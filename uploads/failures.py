"""What a visitor reads if a photo has no result: templates/uploads/failures/<reason>.html."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template import Context, Engine
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class FailureText:
    """One reason in the active language. ``tips`` are list items that say what to do."""

    title: SafeString
    sentence: SafeString
    tips: SafeString


def describe_failure(reason: str, detail: str = "") -> FailureText:
    """``reason`` is a value of `lookalike.faces.errors.Reason`, ``detail`` the error's own."""
    template = Engine.get_default().get_template(f"uploads/failures/{reason}.html")
    values = {
        "detail": detail,
        "min_side": settings.MIN_SIDE,
        "max_megabytes": f"{settings.MAX_BYTES / 1e6:g}",
        "max_megapixels": f"{settings.MAX_PIXELS / 1e6:g}",
    }
    context = Context(values)
    with context.bind_template(template):
        words = {
            node.name: SafeString(node.render(context).strip())
            for node in template.nodelist
            if isinstance(node, BlockNode)
        }
    return FailureText(**words)
