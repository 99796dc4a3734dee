"""What opening an index refuses, each fault made for real in the published files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.faces.errors import IndexDamaged, IndexMissing
from lookalike.faces.index import FILES, IndexRows, Method, Query, build_index, open_index
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import make_biased_rows, make_rows, make_vectors
from tests.fakes import make_calibration

PEOPLE = 300

CHECKOUT = Path(__file__).parents[2]


def build(folder: Path, name: str, rows: IndexRows) -> None:
    build_index(folder, name, rows, ENCODER, make_calibration())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder, "one", make_rows(PEOPLE))
    build(folder, "other", make_biased_rows(PEOPLE))
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(built / "one", tmp_path / "one"))


def flip_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_it_works(folder: Path) -> None:
    assert open_index(folder).facts.items == PEOPLE
    assert all((folder / name).stat().st_size for name in FILES)


def test_requires_a_folder(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="no index named absent"):
        open_index(tmp_path / "absent")


@pytest.mark.parametrize("name", FILES)
def test_rejects_truncated_file(folder: Path, name: str) -> None:
    os.truncate(folder / name, (folder / name).stat().st_size // 2)
    with pytest.raises(IndexDamaged):
        open_index(folder)


@pytest.mark.parametrize("name", FILES)
def test_rejects_file_emptied_or_grown(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    for wrong in (b"", data + b"\0"):
        (folder / name).write_bytes(wrong)
        with pytest.raises(IndexDamaged):
            open_index(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("at", [0, -1])
def test_rejects_altered_byte(folder: Path, name: str, at: int) -> None:
    flip_byte(folder / name, at)
    with pytest.raises(IndexDamaged, match=name):
        open_index(folder)


@pytest.mark.parametrize("name", FILES)
def test_rejects_absent_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(IndexDamaged, match=name):
        open_index(folder)


@pytest.mark.parametrize("name", FILES)
def test_rejects_directory_in_a_files_place(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(IndexDamaged, match=name):
        open_index(folder)


@pytest.mark.parametrize("name", FILES)
def test_rejects_file_of_another_build(built: Path, folder: Path, name: str) -> None:
    shutil.copy(built / "other" / name, folder / name)
    with pytest.raises(IndexDamaged, match=name):
        open_index(folder)


def test_rejects_trees_of_another_dimension(folder: Path) -> None:
    from annoy import AnnoyIndex

    trees = AnnoyIndex(3, "euclidean")
    for number in range(10):
        trees.add_item(number, [number, 1, 2])
    trees.build(2)
    (folder / "index.ann").unlink()
    trees.save(str(folder / "index.ann"))
    with pytest.raises(IndexDamaged, match=r"index\.ann"):
        open_index(folder)


def test_rejects_damage_after_a_first_opening(folder: Path) -> None:
    open_index(folder)
    flip_byte(folder / "rows.f32", 100)
    with pytest.raises(IndexDamaged):
        open_index(folder)


# The manifest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '"x"',
        "[" * 100_000,
        '{"format": "lookalike-index-3"}',
        "\0\xff",
    ],
)
def test_rejects_garbage_for_a_manifest(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(IndexDamaged, match="manifest"):
        open_index(folder)


def test_rejects_binary_manifest(folder: Path) -> None:
    shutil.copy(folder / "index.ann", folder / "manifest.json")
    with pytest.raises(IndexDamaged, match="manifest"):
        open_index(folder)


def test_requires_a_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(IndexDamaged, match="manifest"):
        open_index(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(items=facts["items"] - 1),
        lambda facts: facts.update(dimensions=facts["dimensions"] * 2),
        lambda facts: facts.update(encoder="test/2"),
        lambda facts: facts["files"].pop("index.ann"),
        lambda facts: facts["files"].update({"index.ann": "0" * 64}),
        lambda facts: facts["calibration"]["scale"].update(stranger=9.0),
        lambda facts: facts.update(method="approximate"),
        lambda facts: facts.update(extra=1),
        lambda facts: facts.pop("checksum"),
        lambda facts: facts.update(format="lookalike-index-2"),
    ],
)
def test_rejects_altered_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    facts = json.loads((folder / "manifest.json").read_text())
    change(facts)
    (folder / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(IndexDamaged, match="manifest"):
        open_index(folder)


def test_rejects_manifest_of_another_build(built: Path, folder: Path) -> None:
    shutil.copy(built / "other" / "manifest.json", folder / "manifest.json")
    with pytest.raises(IndexDamaged):
        open_index(folder)


# Several processes

SEARCHER = """
import sys
from pathlib import Path
import numpy as np
from lookalike.faces.index import Method, Query, open_index
index = open_index(Path(sys.argv[1]))
query = np.load(sys.argv[2])
print("open", flush=True)
for line in sys.stdin:
    found = [index.search(Query(query, 6, method)).found[0] for method in Method]
    print(*found[0].ids, *found[1].ids, flush=True)
"""


def start_searcher(index: Path, query: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SEARCHER, str(index), str(query)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def ask(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("search\n")
    process.stdin.flush()
    return [int(number) for number in process.stdout.readline().split()]


def test_four_processes_share_an_index(built: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "query.npy", make_vectors(1, seed=3))
    processes = [start_searcher(built / "one", tmp_path / "query.npy") for _ in range(4)]
    answers = [ask(process) for process in processes]
    index = open_index(built / "one")
    [mine] = index.search(Query(make_vectors(1, seed=3), 6, Method.EXACT)).found
    assert answers == [mine.ids.tolist() * 2] * 4
    for process in processes:
        process.communicate()
        assert process.returncode == 0


def test_replacing_an_index_leaves_searches_on_the_old_one_whole(tmp_path: Path) -> None:
    query = make_vectors(1, seed=3)
    np.save(tmp_path / "query.npy", query)
    build(tmp_path, "live", make_rows(300))
    old = start_searcher(tmp_path / "live", tmp_path / "query.npy")
    before = ask(old)
    build(tmp_path, "live", IndexRows.of_vectors(query, np.array([5])))
    new = start_searcher(tmp_path / "live", tmp_path / "query.npy")
    assert ask(new) == [5, 5]
    assert ask(old) == before
    assert len(before) == 12
    for process in (old, new):
        process.communicate()
        assert process.returncode == 0
