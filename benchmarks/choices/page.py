"""The figures -> tables on the terminal, docs/likeness.md and its plots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.choices.plots import plot_all
from benchmarks.figures import load_records, record_part, save_record
from benchmarks.paths import ROOT
from lookalike.faces.pipeline import MIN_FACE_SIDE

PAGE = ROOT / "docs" / "likeness.md"
FIGURES = ROOT / "docs" / "likeness"
"""One JSON file of figures per part."""
PLOTS = FIGURES


def measure_parts(parts: Iterable[str], *, keep: bool) -> None:
    for part in parts:
        module = import_module(f"benchmarks.choices.{part}")
        record = record_part(getattr(module, f"bench_{part}"))
        print(f"\n# {part}: {record['seconds']} s")
        print(*list_tables(record["figures"]), sep="\n", flush=True)
        if keep:
            save_record(FIGURES, part, record)


def write_page() -> None:
    """Parts that were never measured are left out."""
    records = load_records(FIGURES)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - the page is Markdown, of our own figures.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = {part: record["figures"] for part, record in records.items()}
    plot_all(figures, PLOTS)
    text = environment.get_template("likeness.md").render(
        parts=records, table=write_table, min_width=MIN_FACE_SIDE, **figures
    )
    PAGE.write_text(f"{text.strip()}\n", encoding="utf-8")


def list_tables(figures: Mapping[str, Any], title: str = "") -> Iterator[str]:
    """Markdown of nested figures: a table where values are rows, a line where they are plain."""
    plain = {name: value for name, value in figures.items() if not isinstance(value, Mapping)}
    if plain:
        yield f"{title or 'measured'}: " + ", ".join(f"{k} {v}" for k, v in plain.items())
    for name, value in figures.items():
        if name == "histograms" or not isinstance(value, Mapping):
            continue
        path = f"{title} / {name}".strip(" /")
        if all(isinstance(row, Mapping) and is_row(row) for row in value.values()):
            yield f"\n{path}\n\n{write_table(value)}"
        else:
            yield from list_tables(value, path)


def is_row(row: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, Mapping) for value in row.values())


def write_table(rows: Mapping[Any, Mapping[str, Any]], first: str = "") -> str:
    """Markdown with a line for each row; all rows have the same columns."""
    head = [first, *next(iter(rows.values()), {})]
    body = [[name, *row.values()] for name, row in rows.items()]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
