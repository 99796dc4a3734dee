"""Accuracy over the past builds, as SVG drawn here: no script, no other host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from celebrities.index.measuring import FEW
from celebrities.models import Celebrity, IndexBuild

BUILDS = 20
WIDTH, HEIGHT, LEFT, BOTTOM, LEGEND = 720, 260, 48, 24, 170
LOWEST = 0.5
"""The chart shows 50 to 100 %."""
COLOURS = ("#0b6fd6", "#c4501b", "#1a8a5a", "#8b3fb0", "#b8860b", "#c2185b", "#00838f", "#6d6d6d")


def name_group(kind: str, name: str) -> str:
    if kind == "all":
        return _("everybody")
    if kind == "gender":
        return str(Celebrity.Gender(name).label)
    return _("born in the %s") % name


def list_builds() -> list[IndexBuild]:
    """The last builds that were measured, the oldest first."""
    done = IndexBuild.objects.exclude(measured={}).defer("manifest")
    return list(done.order_by("-started_at")[:BUILDS])[::-1]


def draw_chart(builds: Sequence[IndexBuild]) -> SafeString | str:
    """Rank-1 of each group of at least FEW people by build; "" without any build."""
    lines: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for at, build in enumerate(builds):
        for group in build.measured.get("accuracy", []):
            if group["people"] >= FEW:
                lines[group["kind"], group["name"]].append((at, group["rank1"]))
    if not lines:
        return ""
    step = (WIDTH - LEFT - LEGEND) / max(len(builds) - 1, 1)
    parts = [_draw_grid()]
    for number, (group_key, points) in enumerate(sorted(lines.items())):
        colour = COLOURS[number % len(COLOURS)]
        placed = [(LEFT + at * step, _height_of(share)) for at, share in points]
        parts.append(_draw_line(placed, colour, name_group(*group_key), number))
    return format_html(
        '<svg class="desk-chart" viewBox="0 0 {} {}" width="{}" role="img" '
        'aria-label="{}">{}</svg>',
        *(WIDTH, HEIGHT, WIDTH, _("How often the right person comes first, by build")),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _height_of(share: float) -> float:
    inner = HEIGHT - BOTTOM - 10
    return 10 + inner * (1 - (max(share, LOWEST) - LOWEST) / (1 - LOWEST))


def _draw_grid() -> SafeString:
    shares = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    return format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="4" y="{}">{} %</text>',
        (
            (LEFT, WIDTH - LEGEND, y, y, y + 4, round(100 * share))
            for share in shares
            for y in [round(_height_of(share), 1)]
        ),
    )


def _draw_line(
    points: Sequence[tuple[float, float]], colour: str, name: str, number: int
) -> SafeString:
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="3" fill="{}"/>',
        ((round(x, 1), round(y, 1), colour) for x, y in points),
    )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    beside = WIDTH - LEGEND + 12
    return format_html(
        '<polyline points="{}" stroke="{}"/>{}'
        '<circle cx="{}" cy="{}" r="5" fill="{}"/><text x="{}" y="{}">{}</text>',
        *(path, colour, dots),
        *(beside, 18 + 18 * number, colour, beside + 12, 22 + 18 * number, name),
    )


def list_accuracy(build: IndexBuild | None) -> list[dict[str, Any]]:
    """Each group of the build with its name; ``few`` marks those of too few people."""
    groups = build.measured.get("accuracy", []) if build else []
    order = {"all": 0, "gender": 1, "born": 2}
    return [
        {**group, "label": name_group(group["kind"], group["name"]), "few": group["people"] < FEW}
        for group in sorted(groups, key=lambda each: (order[each["kind"]], each["name"]))
    ]
