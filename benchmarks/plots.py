"""The plots of docs/benchmarks.md, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_bars(photos: dict[str, Any], path: Path) -> None:
    """Milliseconds a photo by contestant, a panel for each photo, the scale logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots(1, len(photos))
    for ax, (photo, found) in zip(axes, photos.items(), strict=True):
        ax.barh(list(found), [one["ms"] for one in found.values()], color="#3b6ea5")
        ax.set_xscale("log")
        ax.set_title(photo, fontsize=9)
        ax.tick_params(labelsize=7)
        ax.invert_yaxis()
        if ax is not axes[0]:
            ax.set_yticklabels([])
    figure.supxlabel("milliseconds a photo", fontsize=8)
    _save(figure, path)


def plot_line(what: str, times: dict[float, float], path: Path, unit: str = "ms") -> None:
    """``times`` (in ``unit``) by the amount of ``what``; both logarithmic from 1,000 upwards."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 2.6), layout="constrained")
    ax = figure.subplots()
    ax.plot(list(times), list(times.values()), marker="o", color="#3b6ea5")
    if max(times) > 1000:
        ax.set_xscale("log")
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    ax.set_xlabel(what, fontsize=8)
    ax.set_ylabel(unit, fontsize=8)
    ax.tick_params(labelsize=7)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """The same figures give the same file, so that only what was measured again changes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, metadata={"Date": None})
