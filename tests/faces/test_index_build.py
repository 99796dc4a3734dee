from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.faces.errors import BadVector
from lookalike.faces.index import IndexRows, build_index, open_index
from lookalike.faces.index.folder import FILES, publish
from tests.faces.vectors import DIMENSIONS, make_rows, make_vectors

ENCODER: dict[str, Any] = {"encoder_name": "test", "encoder_version": "1"}


def test_it_works(tmp_path: Path) -> None:
    manifest = build_index(tmp_path, "first", make_rows(50), **ENCODER)
    assert (manifest.items, manifest.people, manifest.dimensions) == (100, 50, DIMENSIONS)
    assert (manifest.encoder_name, manifest.encoder_version) == ("test", "1")
    assert {path.name for path in (tmp_path / "first").iterdir()} == {*FILES, "manifest.json"}
    assert open_index(tmp_path / "first").manifest == manifest


def test_same_rows_give_the_same_files(tmp_path: Path) -> None:
    rows = make_rows(3000)
    first = build_index(tmp_path, "first", rows, **ENCODER)
    second = build_index(tmp_path, "second", rows, **ENCODER)
    assert first.files == second.files
    assert first.calibration == second.calibration


def test_tells_its_progress(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    build_index(
        tmp_path,
        "first",
        make_rows(5),
        **ENCODER,
        progress=lambda step, share: told.append((step, share)),
    )
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(step for step, _ in told)


@pytest.mark.parametrize("people", [0, 1, 2, 3])
def test_handles_tiny_galleries(tmp_path: Path, people: int) -> None:
    build_index(tmp_path, "tiny", make_rows(people, portraits=1), **ENCODER)
    index = open_index(tmp_path / "tiny")
    for exact in (True, False, None):
        assert len(index.search(make_vectors(1)[0], 6, exact=exact)) == people
    extra = IndexRows(make_vectors(1), np.array([7]), np.array([8]))
    assert len(index.search(make_vectors(1)[0], 6, extra=extra)) == people + 1


def test_handles_identical_vectors(tmp_path: Path) -> None:
    rows = IndexRows(make_vectors(1).repeat(500, axis=0), np.arange(500), np.arange(500))
    build_index(tmp_path, "same", rows, **ENCODER)
    found = open_index(tmp_path / "same").search(make_vectors(1)[0], 6)
    assert [near.celebrity_id for near in found] == [0, 1, 2, 3, 4, 5]


def test_handles_vectors_without_structure(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((5000, DIMENSIONS)).astype(np.float32)
    manifest = build_index(
        tmp_path, "round", IndexRows(vectors, np.arange(5000), np.arange(5000)), **ENCODER
    )
    assert manifest.head == DIMENSIONS
    found = open_index(tmp_path / "round").search(vectors[77], 3, exact=True)
    assert found[0].celebrity_id == 77


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        build_index(tmp_path / "indexes", "first", make_rows(3), **ENCODER)
    finally:
        os.umask(before)
    folder = tmp_path / "indexes" / "first"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}


def test_building_a_name_again_replaces_it(tmp_path: Path) -> None:
    build_index(tmp_path, "one", make_rows(3), **ENCODER)
    build_index(tmp_path, "one", make_rows(5), **ENCODER)
    assert open_index(tmp_path / "one").manifest.people == 5
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_failed_build_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    build_index(tmp_path, "one", make_rows(3), **ENCODER)

    def stop(step: str, share: float) -> None:
        if step == "measuring":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(tmp_path, "one", make_rows(5), **ENCODER, progress=stop)
    assert open_index(tmp_path / "one").manifest.people == 3
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


DYING_BUILD = """
import os, signal, sys
from pathlib import Path
from lookalike.faces.index import build_index
from tests.faces.vectors import make_rows

def die(step, share):
    if step == "measuring":
        os.kill(os.getpid(), signal.SIGKILL)

build_index(
    Path(sys.argv[1]), "one", make_rows(3), encoder_name="test", encoder_version="1", progress=die
)
"""


def test_leftovers_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DYING_BUILD, str(tmp_path)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [".tmp-" in path.name for path in tmp_path.iterdir()] == [True]
    build_index(tmp_path, "two", make_rows(3), **ENCODER)
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_a_running_build_is_no_leftover(tmp_path: Path) -> None:
    with publish(tmp_path, "slow") as beside:
        build_index(tmp_path, "quick", make_rows(3), **ENCODER)
        assert beside.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"slow", "quick"}


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, 1e30])
def test_rejects_vectors_that_cannot_be_compared(tmp_path: Path, value: float) -> None:
    rows = make_rows(5)
    rows.vectors[3] = value
    with pytest.raises(BadVector):
        build_index(tmp_path, "bad", rows, **ENCODER)
    assert not (tmp_path / "bad").exists()


def test_rejects_rows_that_do_not_fit_together(tmp_path: Path) -> None:
    vectors, ids = make_vectors(3), np.arange(3)
    for rows in (
        IndexRows(vectors, ids[:2], ids[:2]),
        IndexRows(vectors, ids, ids[:2]),
        IndexRows(vectors, np.zeros(3, np.int64), ids),
    ):
        with pytest.raises(ValueError, match="portrait"):
            build_index(tmp_path, "bad", rows, **ENCODER)
    with pytest.raises(BadVector):
        build_index(tmp_path, "bad", IndexRows(vectors[0], ids, ids), **ENCODER)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", ".hidden"])
def test_rejects_names_that_are_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        build_index(tmp_path, name, make_rows(3), **ENCODER)


@pytest.mark.parametrize("recall", [0.0, -1.0, 1.1, float("nan")])
def test_rejects_impossible_recall(tmp_path: Path, recall: float) -> None:
    with pytest.raises(ValueError, match="recall"):
        build_index(tmp_path, "one", make_rows(3), **ENCODER, recall=recall)
