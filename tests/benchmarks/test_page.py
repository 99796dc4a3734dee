"""The page of benchmarks: rendered from the figures that are kept, and from nothing else."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from benchmarks.figures import Record, load_records
from benchmarks.page import render, replace_between_marks, write_pages
from benchmarks.paths import FIGURES, PAGE


@pytest.fixture
def records() -> dict[str, Record]:
    return load_records(FIGURES)


def test_it_works(records: dict[str, Record], tmp_path: Path) -> None:
    shutil.copy(PAGE.parent / "batch.md", tmp_path)

    write_pages(records, tmp_path)

    assert (tmp_path / "benchmarks.md").read_text() == PAGE.read_text()
    assert (tmp_path / "batch.md").read_text() == (PAGE.parent / "batch.md").read_text()
    plots = {path.name for path in (tmp_path / "benchmarks").iterdir()}
    assert plots == {"photos.svg", "waiting.svg", "growth-0.svg", "growth-1.svg", "growth-2.svg"}


def test_gives_the_same_plot_for_the_same_figures(
    records: dict[str, Record], tmp_path: Path
) -> None:
    shutil.copy(PAGE.parent / "batch.md", tmp_path)
    write_pages(records, tmp_path)
    plot = tmp_path / "benchmarks" / "photos.svg"
    first = plot.read_bytes()

    write_pages(records, tmp_path)

    assert plot.read_bytes() == first


def test_says_when_and_where_each_part_was_measured(records: dict[str, Record]) -> None:
    record = copy.deepcopy(records["memory"])
    record["date"], record["machine"]["load"] = "2027-01-02", 7.5

    page = render("page.md", {"memory": record})

    assert "*2027-01-02: 2 cores of AMD EPYC" in page
    assert "load 7.5 at the start" in page


def test_gives_the_reason_of_a_goal_only_when_it_is_missed(records: dict[str, Record]) -> None:
    record = copy.deepcopy(records["quality"])
    reason = "- above dlib's pipeline: Where dlib's pipeline finds everybody"
    assert render("page.md", {"quality": record}).count(reason) == 1

    record["figures"]["rows"][1].update(rank1=0.9, rank6=0.9)

    page = render("page.md", {"quality": record})
    assert reason not in page
    assert "Missed, and why" not in page


def test_leaves_out_parts_that_were_never_measured(records: dict[str, Record]) -> None:
    page = render("page.md", {"memory": records["memory"]})

    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## Memory"]


def test_names_contestants_that_took_no_part(records: dict[str, Record]) -> None:
    record = copy.deepcopy(records["photos"])
    record["figures"]["absent"] = {"deepface": "No module named 'tensorflow'"}

    page = render("page.md", {"photos": record})

    assert "deepface is missing or incomplete: No module named 'tensorflow'" in page


def test_rejects_figures_that_lack_a_number(records: dict[str, Record]) -> None:
    record = copy.deepcopy(records["memory"])
    del record["figures"]["first_mb"]

    with pytest.raises(UndefinedError, match="first_mb"):
        render("page.md", {"memory": record})


def test_rejects_a_page_without_marks() -> None:
    with pytest.raises(ValueError, match="unpack"):
        replace_between_marks("no marks\n", "figures")
