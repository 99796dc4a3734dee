"""export_vectors and rebuild_index --from-csv."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from celebrities.gallery import embed_portraits
from celebrities.index.search import find_lookalikes
from celebrities.models import IndexBuild, Portrait
from celebrities.vectors import export_vectors
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.vectors_csv import read_vectors
from tests.celebrities.factories import (
    make_celebrity,
    make_photo,
    make_portrait,
    make_ready,
    unit,
)

pytestmark = pytest.mark.django_db(transaction=True)

VECTORS = [unit(1, 0.1 * number) for number in range(4)]


@pytest.fixture
def gallery(fake_engine: FaceEngine) -> list[Portrait]:
    return [
        make_ready(make_celebrity(f"Person {number}"), vector, image=f"portraits/00/p{number}.jpg")
        for number, vector in enumerate(VECTORS)
    ]


def run(name: str, *args: object, **options: object) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def stored() -> list[bytes]:
    rows = Portrait.objects.order_by("pk").values_list("vector", flat=True)
    return [bytes(vector or b"") for vector in rows]


def test_it_works(gallery: list[Portrait], tmp_path: Path) -> None:
    """What is exported comes back in as it was."""
    before = stored()
    path = tmp_path / "vectors.csv"

    assert run("export_vectors", path) == f"4 vectors written to {path}.\n"
    table = read_vectors(path)
    assert table.names == ["p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]
    assert table.encoder == "fake/1"
    np.testing.assert_array_equal(table.vectors, VECTORS)

    out = run("rebuild_index", from_csv=path)
    assert f"4 vectors imported from {path}.\n" in out
    assert "4 portraits of 4 people" in out
    for vector, kept in zip(before, stored(), strict=True):
        np.testing.assert_allclose(
            np.frombuffer(vector, "<f4"), np.frombuffer(kept, "<f4"), atol=1e-7
        )


def test_vectors_computed_elsewhere_are_searched(gallery: list[Portrait], tmp_path: Path) -> None:
    path = tmp_path / "vectors.csv"
    export_vectors(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "p2.jpg," + ",".join(["0"] * 15 + ["3.5"])]))

    run("rebuild_index", from_csv=path)

    (found,) = find_lookalikes([unit(*[0.0] * 15, 1.0)], k=1).neighbours
    assert found[0].portrait_id == gallery[2].pk
    assert found[0].distance == pytest.approx(0, abs=1e-3)


def test_names_of_imported_photos(fake_engine: FaceEngine, tmp_path: Path) -> None:
    """With --photos, a line names the file that a portrait was imported from."""
    (tmp_path / "ada.jpg").write_bytes(make_photo(7))
    portrait = make_portrait(data=make_photo(7))
    embed_portraits([portrait])
    assert not portrait.reason
    path = tmp_path / "vectors.csv"
    path.write_text("ada.jpg,2" + ",0" * 15)

    run("rebuild_index", from_csv=path, photos=tmp_path, encoder="fake/1")

    np.testing.assert_array_equal(np.frombuffer(stored()[0], "<f4"), unit(1))


def spoil(index: int, change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    return lambda lines: [
        change(line) if number == index else line for number, line in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil(2, lambda line: line + ",1"), "Line 3: 17 numbers, expected 16"),
        (spoil(3, lambda line: line[:-3] + "nan"), "Line 4: .* is not a finite number"),
        (spoil(3, lambda line: line[:-3] + ",x"), 'Line 4: "x" is not a number|Line 4: 17 numbers'),
        (spoil(4, lambda _: "p3.jpg" + ",0" * 16), "Line 5: the vector is zero"),
        (
            spoil(1, lambda line: line.replace("p0", "nobody")),
            "Line 2: nobody.jpg is not a portrait",
        ),
        (spoil(4, lambda line: line.replace("p3", "p1")), "Line 5: p1.jpg is already on line 3"),
        (lambda lines: lines[1:], "does not state the encoder"),
        (spoil(0, lambda line: line.replace("fake/1", "dlib/1")), "vectors are of dlib/1"),
        (lambda lines: [",".join(line.split(",")[:-1]) for line in lines], "Line 2: 15 numbers"),
        (lambda lines: [], "Line 1: there is no vector"),
    ],
)
def test_rejects_a_bad_file_and_builds_nothing(
    gallery: list[Portrait],
    tmp_path: Path,
    change: Callable[[list[str]], list[str]],
    message: str,
) -> None:
    path = tmp_path / "vectors.csv"
    export_vectors(path)
    path.write_text("\n".join(change(path.read_text().splitlines())))
    before = stored()

    with pytest.raises(CommandError, match=message):
        run("rebuild_index", from_csv=path)

    assert stored() == before
    assert not IndexBuild.objects.exists()


def test_rejects_portraits_that_were_not_read(gallery: list[Portrait], tmp_path: Path) -> None:
    path = tmp_path / "vectors.csv"
    export_vectors(path)
    gallery[1].status = Portrait.Status.PENDING
    gallery[1].save()
    with pytest.raises(CommandError, match=r"Line 3: p1.jpg has not been read yet"):
        run("rebuild_index", from_csv=path)

    gallery[1].status = Portrait.Status.FAILED
    gallery[1].save()
    with pytest.raises(CommandError, match=r"Line 3: p1.jpg has no usable face"):
        run("rebuild_index", from_csv=path)


def test_rejects_a_photo_that_is_not_there(gallery: list[Portrait], tmp_path: Path) -> None:
    path = tmp_path / "vectors.csv"
    export_vectors(path)

    with pytest.raises(CommandError, match=r"Line 2: there is no p0.jpg in"):
        run("rebuild_index", from_csv=path, photos=tmp_path)


def test_rejects_a_statement_that_contradicts_the_file(
    gallery: list[Portrait], tmp_path: Path
) -> None:
    path = tmp_path / "vectors.csv"
    export_vectors(path)

    with pytest.raises(CommandError, match="heading says fake/1, not dlib/1"):
        run("rebuild_index", from_csv=path, encoder="dlib/1")


def test_rejects_a_missing_file(gallery: list[Portrait], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none.csv.*Nothing was built"):
        run("rebuild_index", from_csv=tmp_path / "none.csv")
    with pytest.raises(CommandError, match="nowhere"):
        run("export_vectors", tmp_path / "nowhere" / "vectors.csv")
    assert not list(tmp_path.glob("**/*.tmp"))
