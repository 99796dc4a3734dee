"""The plots of docs/likeness.md, as SVG on white, so that they read in dark pages too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

COLOURS = ("#9a9a9a", "#d08c2e", "#b3412f", "#3b6ea5", "#7fb0d8")


def plot_all(figures: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Parts that were never measured are left out."""
    if "number" in figures:
        plot_numbers(figures["number"]["histograms"], folder / "numbers.svg")
    conditions, turning = figures.get("conditions"), figures.get("turning")
    panels: dict[str, Mapping[str, Any]] = {}
    if conditions:
        panels |= {
            "width of the face, pixels": conditions["widths"],
            "blur, as a share of the length from eyes to mouth": conditions["blurs"],
            "portraits of a person": conditions["portraits"],
        }
    if turning:
        panels["angle of the photo, degrees"] = turning["angles"]
    plot_conditions(panels, folder / "conditions.svg")


def plot_numbers(histograms: Mapping[str, list[int]], path: Path) -> None:
    """How often each number comes, by kind of pair; each kind's area is the same."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    edges = histograms["edges"]
    kinds = {name: counts for name, counts in histograms.items() if name != "edges"}
    for colour, (name, counts) in zip(COLOURS, kinds.items(), strict=True):
        shares = [count / sum(counts) for count in counts]
        axes.stairs(shares, edges, color=colour, label=name, linewidth=1.6)
    axes.set_xlabel("number (0 is the median of strangers, 100 of the same person)", fontsize=8)
    axes.set_ylabel("share", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    axes.tick_params(labelsize=7)
    _save(figure, path)


def plot_conditions(panels: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Rank-1 by what a photo is like."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    places = [*figure.subplots(2, 2).flat]
    for axes, (label, rows) in zip(places, panels.items(), strict=False):
        values = [float(name) for name in rows]
        axes.plot(values, [row["rank-1"] for row in rows.values()], marker="o", markersize=3)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel(label, fontsize=8)
        axes.set_ylabel("right person first", fontsize=8)
        if len(values) < 3:
            axes.set_xticks(values)
        axes.tick_params(labelsize=7)
    for axes in places[len(panels) :]:
        axes.remove()
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """The same figures give the same bytes, so that commits hold only what was measured anew."""
    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
