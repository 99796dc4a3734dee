"""The plots of docs/benchmarks.md, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

COLOUR = "#3b6ea5"


def plot_photos(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Milliseconds by contestant on a logarithmic scale, one panel per photo."""
    photos = list(dict.fromkeys(row["photo"] for row in rows))
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots(1, len(photos), sharey=True, squeeze=False)[0]
    for ax, photo in zip(axes, photos, strict=True):
        found = [row for row in rows if row["photo"] == photo]
        ax.barh([row["who"] for row in found], [row["ms"] for row in found], color=COLOUR)
        ax.set_xscale("log")
        ax.set_title(photo, fontsize=9)
        ax.tick_params(labelsize=7)
    axes[0].invert_yaxis()
    figure.supxlabel("milliseconds per photo", fontsize=8)
    _save(figure, path)


def plot_line(label: str, points: Mapping[str, float], path: Path, unit: str = "ms") -> None:
    """``points`` in ``unit`` by amount; both axes are logarithmic above 1,000."""
    amounts = [float(amount) for amount in points]
    figure = Figure(figsize=(5, 2.6), layout="constrained")
    ax = figure.subplots()
    ax.plot(amounts, list(points.values()), marker="o", color=COLOUR)
    if max(amounts) > 1000:
        ax.set_xscale("log")
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    ax.set_xlabel(label, fontsize=8)
    ax.set_ylabel(unit, fontsize=8)
    ax.tick_params(labelsize=7)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """The same figures give the same bytes, so that commits hold only what was measured anew."""
    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, metadata={"Date": None})
