"""The figures of all parts -> docs/benchmarks.md, its plots, docs/scaling.md, and the figures of
docs/batch.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from benchmarks.figures import Record
from benchmarks.goals import JUDGES
from benchmarks.plots import plot_line, plot_photos

MARKS = ("<!-- figures -->\n", "<!-- end of figures -->\n")
"""Comments in docs/batch.md that enclose its figures."""


def write_pages(records: Mapping[str, Record], docs: Path) -> None:
    """Parts that were never measured are left out."""
    (docs / "benchmarks.md").write_text(render("page.md", records), encoding="utf-8")
    if "scaling" in records:
        (docs / "scaling.md").write_text(render("scaling.md", records), encoding="utf-8")
    plot_all(records, docs / "benchmarks")
    if "batch" in records:
        page = docs / "batch.md"
        text = replace_between_marks(page.read_text("utf-8"), render("batch.md", records))
        page.write_text(text, encoding="utf-8")


def render(template: str, records: Mapping[str, Record]) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    outcomes = {
        part: list(judge(records[part]["figures"]))
        for part, judge in JUDGES.items()
        if part in records
    }
    text = environment.get_template(template).render(parts=records, outcomes=outcomes)
    return f"{text.strip()}\n"


def plot_all(records: Mapping[str, Record], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figures = {part: record["figures"] for part, record in records.items()}
    if "photos" in figures:
        plot_photos(figures["photos"]["rows"], folder / "photos.svg")
    if "site" in figures:
        waiting = figures["site"]["waiting"]
        plot_line("waiting visitors", waiting, folder / "waiting.svg", unit="p95, s")
    for number, (what, times) in enumerate(figures.get("growth", {}).items()):
        plot_line(what, times, folder / f"growth-{number}.svg")


def replace_between_marks(page: str, text: str) -> str:
    """Raises ValueError when the page lacks a mark."""
    before, rest = page.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    return f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}"
