"""The parts of `make benchmark`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.parts import PARTS
from benchmarks.paths import ROOT
from benchmarks.quality import find_pairs, measure_iou
from benchmarks.visits import read_pause


@pytest.mark.parametrize("part", PARTS)
def test_each_has_its_function(part: str) -> None:
    """Read, not imported: together the parts import every library there is."""
    module = ast.parse((ROOT / "benchmarks" / f"{part}.py").read_text())

    names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]

    assert f"bench_{part}" in names


def test_rejects_an_unknown_part() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "run", "speed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "invalid choice: 'speed'" in done.stderr


def test_quality_pairs_two_photos_of_a_person() -> None:
    names = ("ada_1", "ada_2", "ada_3", "alan_1", "de_la_cruz_1", "de_la_cruz_2")

    gallery, queries = find_pairs(Path(f"{name}.jpg") for name in names)

    assert gallery == {"ada": Path("ada_1.jpg"), "de_la_cruz": Path("de_la_cruz_1.jpg")}
    assert queries == {"ada": Path("ada_2.jpg"), "de_la_cruz": Path("de_la_cruz_2.jpg")}


@pytest.mark.parametrize(
    ("box", "iou"), [((0, 0, 2, 2), 1.0), ((1, 0, 3, 2), 1 / 3), ((2, 2, 3, 3), 0.0)]
)
def test_quality_compares_boxes(box: tuple[int, int, int, int], iou: float) -> None:
    assert measure_iou(np.array(box), np.array([0, 0, 2, 2])) == pytest.approx(iou)


@pytest.mark.parametrize(
    ("text", "seconds"), [('<p hx-trigger="every 250ms">', 0.25), ("<p>Anna Bell</p>", 0.0)]
)
def test_site_waits_as_long_as_the_page_says(text: str, seconds: float) -> None:
    assert read_pause(text) == seconds
