from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.faces.errors import BadVector
from lookalike.faces.index import (
    FILES,
    BuildFacts,
    IndexRows,
    Method,
    Query,
    build_index,
    open_index,
    publish,
    remove_others,
)
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import DIMENSIONS, make_biased_rows, make_rows, make_vectors
from tests.fakes import make_calibration


def build(folder: Path, name: str, rows: IndexRows, **options: Any) -> BuildFacts:
    return build_index(folder, name, rows, ENCODER, make_calibration(), **options)


def ask(folder: Path, vectors: np.ndarray, k: int, **more: Any) -> list[int]:
    found: list[int] = open_index(folder).search(Query(vectors, k, **more)).found[0].ids.tolist()
    return found


def test_it_works(tmp_path: Path) -> None:
    facts = build(tmp_path, "first", make_rows(50))
    assert (facts.items, facts.dimensions) == (50, DIMENSIONS)
    assert facts.encoder == "test/1"
    assert (facts.method, facts.recall) == (Method.EXACT, 1.0)
    assert "too little to be worth shortening" in facts.why
    assert facts.seconds > 0
    assert {path.name for path in (tmp_path / "first").iterdir()} == {*FILES, "manifest.json"}
    assert open_index(tmp_path / "first").facts == facts


def test_same_rows_give_the_same_files(tmp_path: Path) -> None:
    rows = make_biased_rows(3000)
    first = build(tmp_path, "first", rows)
    second = build(tmp_path, "second", rows)
    assert first.files == second.files


def test_tells_its_progress(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    build(
        tmp_path,
        "first",
        make_rows(5),
        progress=lambda step, share: told.append((step, share)),
    )
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(step for step, _ in told)


@pytest.mark.parametrize("people", [0, 1, 2, 3])
def test_handles_tiny_galleries(tmp_path: Path, people: int) -> None:
    build(tmp_path, "tiny", make_rows(people))
    query = make_vectors(1)
    for method in (*Method, None):
        assert len(ask(tmp_path / "tiny", query, 6, method=method)) == people
    added = IndexRows.of_vectors(query, np.array([7]))
    assert len(ask(tmp_path / "tiny", query, 6, added=added)) == people + 1


@pytest.mark.parametrize("method", list(Method))
def test_handles_identical_vectors(tmp_path: Path, method: Method) -> None:
    vectors = make_vectors(1).repeat(500, axis=0)
    build(tmp_path, "same", IndexRows.of_vectors(vectors, np.arange(500)))
    found = ask(tmp_path / "same", vectors[:1], 6, method=method)
    assert found == [0, 1, 2, 3, 4, 5]


def test_a_filter_and_too_few_candidates_make_a_search_exact(tmp_path: Path) -> None:
    rows = make_rows(600)
    build(tmp_path, "one", rows)
    index, query = open_index(tmp_path / "one"), make_vectors(1)
    plain = Query(query, 3, Method.APPROXIMATE, width=12)
    assert index.search(plain).method is Method.APPROXIMATE
    assert index.search(replace(plain, among=rows.ids)).method is Method.EXACT
    assert index.search(replace(plain, hidden=rows.ids[3:])).method is Method.EXACT


def test_finds_most_in_vectors_without_structure(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((5000, DIMENSIONS)).astype(np.float32)
    build(tmp_path, "round", IndexRows.of_vectors(vectors, np.arange(5000)))
    assert ask(tmp_path / "round", vectors[77:78], 1, method=Method.APPROXIMATE) == [77]


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        build(tmp_path / "indexes", "first", make_rows(3))
    finally:
        os.umask(before)
    folder = tmp_path / "indexes" / "first"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}


def test_building_a_name_again_replaces_it(tmp_path: Path) -> None:
    build(tmp_path, "one", make_rows(3))
    build(tmp_path, "one", make_rows(5))
    assert open_index(tmp_path / "one").facts.items == 5
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_failed_build_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    build(tmp_path, "one", make_rows(3))

    def stop(step: str, share: float) -> None:
        if step == "measuring":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, "one", make_rows(5), progress=stop)
    assert open_index(tmp_path / "one").facts.items == 3
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


DYING_BUILD = """
import os, signal, sys
from pathlib import Path
from lookalike.faces.index import build_index
from tests.fakes import make_calibration
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import make_rows

def die(step, share):
    if step == "measuring":
        os.kill(os.getpid(), signal.SIGKILL)

build_index(
    Path(sys.argv[1]), "one", make_rows(3), ENCODER, make_calibration(), progress=die
)
"""


def test_leftovers_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DYING_BUILD, str(tmp_path)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [".tmp-" in path.name for path in tmp_path.iterdir()] == [True]
    build(tmp_path, "two", make_rows(3))
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_a_running_build_is_no_leftover(tmp_path: Path) -> None:
    with publish(tmp_path, "slow") as beside:
        build(tmp_path, "quick", make_rows(3))
        assert beside.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"slow", "quick"}


def test_only_indexes_in_use_are_kept(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build(tmp_path, name, make_rows(3))
    (tmp_path / "three.old-1").mkdir()
    remove_others(tmp_path, lambda: {"two", "three.old-1"})
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_an_index_that_appears_while_others_are_removed_is_kept(tmp_path: Path) -> None:
    build(tmp_path, "old", make_rows(3))

    def names() -> set[str]:
        build(tmp_path, "new", make_rows(3))
        return set()

    remove_others(tmp_path, names)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, 1e30])
def test_rejects_vectors_that_cannot_be_compared(tmp_path: Path, value: float) -> None:
    rows = make_rows(5)
    rows.rows[3] = value
    with pytest.raises(BadVector):
        build(tmp_path, "bad", rows)
    assert not (tmp_path / "bad").exists()


def test_rejects_rows_that_do_not_fit_together(tmp_path: Path) -> None:
    vectors, ids, bias = make_vectors(3), np.arange(3), np.zeros(3, np.float32)
    for rows in (
        IndexRows(vectors, bias, ids[:2], ids[:2]),
        IndexRows(vectors, bias, ids, ids[:2]),
        IndexRows(vectors, bias[:2], ids, ids),
        IndexRows(vectors, bias, np.zeros(3, np.int64), ids),
    ):
        with pytest.raises(ValueError, match=r"one length|twice"):
            build(tmp_path, "bad", rows)
    with pytest.raises(BadVector):
        build(tmp_path, "bad", IndexRows(vectors[0], bias, ids, ids))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", ".hidden"])
def test_rejects_names_that_are_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        build(tmp_path, name, make_rows(3))


@pytest.mark.parametrize("recall", [0.0, -1.0, 1.1, float("nan")])
def test_rejects_impossible_recall(tmp_path: Path, recall: float) -> None:
    with pytest.raises(ValueError, match="recall"):
        build(tmp_path, "one", make_rows(3), recall=recall)
