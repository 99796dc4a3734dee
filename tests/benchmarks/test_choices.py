"""`make choices`: the guises, the statistics, and the page."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.choices import page
from benchmarks.choices.__main__ import PARTS
from benchmarks.choices.guises import GUISES, HIDING, draw_guise, tilt
from benchmarks.choices.page import FIGURES, PAGE, list_tables, write_page, write_table
from benchmarks.choices.portraits import Portrait
from benchmarks.choices.statistics import (
    find_ranks,
    measure_spread,
    resample_people,
    split_people,
)
from benchmarks.figures import load_records
from benchmarks.paths import ROOT


@pytest.fixture
def portrait() -> Portrait:
    pixels = np.random.default_rng(0).integers(0, 255, (150, 120, 3), np.uint8)
    landmarks = np.array([(45, 60), (75, 60), (60, 75), (50, 90), (70, 90)], np.float32)
    vector = np.eye(1, 8, dtype=np.float32)[0]
    return Portrait("ada_1.jpg", "Ada", "F", "1960s", pixels, landmarks, 60.0, vector)


def test_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page in the repository is what the kept figures give."""
    monkeypatch.setattr(page, "PAGE", tmp_path / "likeness.md")
    monkeypatch.setattr(page, "PLOTS", tmp_path)
    write_page()

    assert (tmp_path / "likeness.md").read_text() == PAGE.read_text()
    for name in ("numbers.svg", "conditions.svg"):
        assert (tmp_path / name).read_bytes() == (FIGURES / name).read_bytes()


def test_every_part_has_its_function() -> None:
    for part in PARTS:
        module = ast.parse((ROOT / "benchmarks" / "choices" / f"{part}.py").read_text())
        names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        assert f"bench_{part}" in names
    assert load_records(FIGURES).keys() <= {*PARTS}


@pytest.mark.parametrize("guise", [*GUISES, *HIDING])
def test_a_guise_is_the_same_every_time(portrait: Portrait, guise: str) -> None:
    first, second = draw_guise(portrait, guise), draw_guise(portrait, guise)

    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert np.array_equal(first, second)
    assert np.array_equal(first, portrait.pixels) == (guise == "as it is")


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_quarter_turns_are_exact(portrait: Portrait, degrees: int) -> None:
    assert np.array_equal(np.rot90(tilt(portrait.pixels, degrees), degrees // 90), portrait.pixels)


def test_a_tilt_leans_clockwise_and_loses_nothing(portrait: Portrait) -> None:
    black = np.zeros((100, 100, 3), np.uint8)
    black[:10, 45:55] = 255  # A white spot at the top goes to the right.
    leaning = tilt(black, 45)
    rows, columns = np.nonzero(leaning[..., 0] > 128)

    assert columns.mean() > leaning.shape[1] / 2 > rows.mean()
    assert len(rows) == pytest.approx(100, rel=0.1)


def test_people_are_never_split_between_folds() -> None:
    people = [name for name in "abcdefghij" for _ in range(3)]
    folds = split_people(people)

    assert sorted(set(folds.tolist())) == [0, 1, 2, 3, 4]
    assert all(len(set(folds[at : at + 3])) == 1 for at in range(0, 30, 3))


def test_a_tie_counts_against_the_right_person() -> None:
    scores = np.array([[0.9, 0.1, 0.9], [0.2, 0.8, 0.1]], np.float32)

    assert find_ranks(scores, np.array([0, 1])).tolist() == [1, 0]


def test_spread_is_in_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (400, 400)).astype(np.float32)
    scores[np.diag_indices(400)] += 3

    assert measure_spread(scores, np.arange(400)) == pytest.approx(3, abs=0.2)


def test_an_interval_goes_by_people_not_by_photos() -> None:
    """A hundred photos of one person say no more than one."""
    values = np.repeat([0.0, 1.0, 1.0, 1.0], 100)
    low, high = resample_people(values, [name for name in "abcd" for _ in range(100)])

    assert (low, high) == (0.25, 1.0)


def test_tables_show_rows_and_lines() -> None:
    lines = list(list_tables({"photos": 3, "rules": {"best": {"rank-1": 0.9}}}))

    assert lines[0] == "measured: photos 3"
    assert "| best | 0.9 |" in lines[1]
    assert write_table({}) == "|  |\n| --- |"


def test_rejects_an_unknown_part() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.choices", "speed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "no such part: speed" in done.stderr
