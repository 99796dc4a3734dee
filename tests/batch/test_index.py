from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batchflow import B, Dataset, DatasetIndex, Pipeline

from lookalike.batch import CelebrityBatch
from lookalike.batch.named_index import INDEX, NAMES
from lookalike.faces.errors import IndexDamaged, IndexMissing, IndexStale
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.tables import BadLine
from lookalike.faces.types import Face
from lookalike.faces.vectors_csv import write_vectors
from tests.batch.conftest import data_set, model, preprocessing


@pytest.fixture
def csv(expected: dict[str, Face], engine: FaceEngine, tmp_path: Path) -> Path:
    """The vectors of the photos as the engine gives them, with the encoder stated."""
    path = tmp_path / "embeddings.csv"
    encoder = f"{engine.encoder.name}/{engine.encoder.version}"
    with path.open("w", newline="") as file:
        rows = [(name, face.vector) for name, face in expected.items()]
        write_vectors(file, rows, encoder=encoder, header=True)
    return path


@pytest.fixture
def index(csv: Path, photos: Path) -> Path:
    pipeline = loading(csv).build_index(csv.parent / "my_index.ann")
    (pipeline << data_set(photos)).run(18, n_epochs=1)
    return csv.parent / "my_index.ann"


def loading(csv: Path, **options: Any) -> Pipeline:
    return Pipeline().load(
        src=csv, fmt="csv", components="embedding", index_col="file_name", **options
    )


def searching(**options: Any) -> Pipeline:
    pipeline = (preprocessing() + model()).predict_model(
        "faces", B("images"), save_to=B("embedding")
    )
    return pipeline.find_nearest_neighbours(**options)


def nearest(expected: dict[str, Face], name: str, k: int) -> tuple[list[str], list[float]]:
    """The engine's own vectors, compared one by one."""
    distances = {
        other: float(np.linalg.norm(expected[name].vector - face.vector))
        for other, face in expected.items()
    }
    order = sorted(distances, key=distances.__getitem__)[:k]
    return order, [distances[other] for other in order]


def test_it_works(
    engine: FaceEngine,
    photos: Path,
    csv: Path,
    expected: dict[str, Face],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the CSV to an index, then new photos to their neighbours."""
    monkeypatch.chdir(csv.parent)
    data = data_set(photos)
    (loading(Path("embeddings.csv")).build_index() << data).run(len(data), n_epochs=1)
    assert Path("my_index.ann").exists()

    workflow = searching(src="my_index.ann", k_neighbours=6) << data
    for batch in workflow.gen_batch(7, n_epochs=1):
        for name, neighbours, distances in zip(
            batch.indices, batch.neighbours, batch.distances, strict=True
        ):
            names, away = nearest(expected, name, 6)
            assert neighbours == names
            np.testing.assert_allclose(distances, away, atol=2e-3)


def test_the_three_nearest_are_the_person(index: Path, photos: Path, engine: FaceEngine) -> None:
    batch = (searching(src=index, k_neighbours=3) << data_set(photos)).next_batch(18)

    for name, neighbours in zip(batch.indices, batch.neighbours, strict=True):
        assert neighbours[0] == name
        assert {other[:-6] for other in neighbours} == {name[:-6]}


def test_exact_and_approximate_agree_on_a_small_index(
    index: Path, photos: Path, engine: FaceEngine
) -> None:
    found = [
        (searching(src=index, exact=exact) << data_set(photos)).next_batch(5).neighbours.tolist()
        for exact in (True, False)
    ]

    assert found[0] == found[1]


def test_loads_a_table_of_another_program(
    engine: FaceEngine, photos: Path, expected: dict[str, Face], tmp_path: Path
) -> None:
    """With a function that makes columns of it, as workflows of old have one."""
    path = tmp_path / "old.csv"
    lines = [f'{name},"[{" ".join(map(str, face.vector))}]"' for name, face in expected.items()]
    path.write_text("\n".join(["file_name,vector", *lines]))

    def post(data: Any, fmt: str, components: tuple[str, ...], **_: Any) -> dict[str, Any]:
        texts = data[data.columns[-1]].str.strip("[]").str.split()
        return {components[0]: texts.apply(lambda row: np.array(row, float))}

    batch = (loading(path, post=post) << data_set(photos)).next_batch(4)

    for name, vector in zip(batch.indices, batch.embedding, strict=True):
        np.testing.assert_array_equal(vector, expected[name].vector)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("index_col", ["file_name", 0])
def test_loads_what_it_dumped(
    engine: FaceEngine,
    csv: Path,
    photos: Path,
    expected: dict[str, Face],
    tmp_path: Path,
    header: bool,
    index_col: str | int,
) -> None:
    """With and without a heading, and with and without a function for the columns."""
    data, path = data_set(photos), tmp_path / "dumped.csv"
    dumping = loading(csv).dump(
        dst=path, fmt="csv", mode="a", components=["embedding"], header=header
    )
    (dumping << data).run(5, n_epochs=1)

    def post(table: Any, fmt: str, components: tuple[str, ...], **_: Any) -> dict[str, Any]:
        return {components[0]: list(table.to_numpy())}

    for options in ({}, {"post": post}):
        pipeline = Pipeline().load(
            src=path, fmt="csv", components="embedding", index_col=index_col, **options
        )
        batch = (pipeline << data).next_batch(18)
        assert list(batch.indices) == list(expected)
        for name, vector in zip(batch.indices, batch.embedding, strict=True):
            np.testing.assert_array_equal(vector, expected[name].vector)


def test_loads_a_table_of_the_ancestor_without_a_heading(
    engine: FaceEngine, photos: Path, expected: dict[str, Face], tmp_path: Path
) -> None:
    path = tmp_path / "old.csv"
    lines = [f'{name},"[{" ".join(map(str, face.vector))}]"' for name, face in expected.items()]
    path.write_text("\n".join(lines))

    def post(data: Any, fmt: str, components: tuple[str, ...], **_: Any) -> dict[str, Any]:
        texts = data[data.columns[-1]].str.strip("[]").str.split()
        return {components[0]: texts.apply(lambda row: np.array(row, float))}

    batch = (loading(path, post=post) << data_set(photos)).next_batch(18)

    np.testing.assert_array_equal(batch.embedding[0], expected[batch.indices[0]].vector)


def test_a_photo_without_a_line_keeps_its_place(
    engine: FaceEngine, csv: Path, photos: Path
) -> None:
    data = Dataset(DatasetIndex(["nobody.jpg", sorted(photos.iterdir())[0].name]), CelebrityBatch)
    pipeline = loading(csv) << data

    batch = pipeline.next_batch(2)

    assert batch.embedding[0] is None
    assert batch.embedding[1].shape == (engine.encoder.dimensions,)
    assert pipeline.v("missing") == {"nobody.jpg": "no_vector"}


def test_rejects_a_bad_line_by_number(engine: FaceEngine, csv: Path, photos: Path) -> None:
    lines = csv.read_text().splitlines()
    lines[6] = lines[6].rpartition(",")[0] + ",nan"
    csv.write_text("\n".join(lines))

    with pytest.raises(BadLine, match='Line 7: "nan" is not a finite number'):
        (loading(csv) << data_set(photos)).next_batch(1)


def test_a_file_that_changed_is_read_anew(engine: FaceEngine, csv: Path, photos: Path) -> None:
    pipeline = loading(csv) << data_set(photos)
    pipeline.run(5, n_epochs=1)
    first = sorted(photos.iterdir())[0].name
    csv.write_text(csv.read_text().replace(first, "another.jpg"))

    pipeline.run(5, n_epochs=1)

    assert pipeline.v("missing") == {first: "no_vector"}


def test_rejects_an_index_of_a_part(engine: FaceEngine, csv: Path, photos: Path) -> None:
    pipeline = loading(csv).build_index(csv.parent / "part.ann") << data_set(photos)

    with pytest.raises(ValueError, match="5 of 18 photos"):
        pipeline.run(5, n_epochs=1)

    assert not (csv.parent / "part.ann").exists()


def test_rejects_to_build_over_something_else(engine: FaceEngine, csv: Path, photos: Path) -> None:
    theirs = csv.parent / "theirs"
    theirs.mkdir()
    (theirs / "letters.txt").write_text("keep")
    pipeline = loading(csv).build_index(theirs) << data_set(photos)

    with pytest.raises(FileExistsError, match="no index of photos"):
        pipeline.run(18, n_epochs=1)

    assert (theirs / "letters.txt").read_text() == "keep"


def test_a_build_replaces_the_one_before(index: Path, csv: Path, photos: Path) -> None:
    for path in sorted(photos.iterdir())[:9]:
        csv.write_text(csv.read_text().replace(path.name, "x" + path.name))
    names = [
        ("x" if number < 9 else "") + p.name for number, p in enumerate(sorted(photos.iterdir()))
    ]
    data = Dataset(DatasetIndex(names), CelebrityBatch)

    (loading(csv).build_index(index) << data).run(18, n_epochs=1)

    batch = (loading(csv).find_nearest_neighbours(index, 1) << data).next_batch(18)
    assert [found[0] for found in batch.neighbours] == names


def test_rejects_a_missing_index(engine: FaceEngine, csv: Path, photos: Path) -> None:
    with pytest.raises(IndexMissing, match="build_index"):
        (loading(csv).find_nearest_neighbours("nowhere.ann") << data_set(photos)).next_batch(1)


def test_rejects_a_damaged_index(index: Path, csv: Path, photos: Path) -> None:
    trees = index / INDEX / "index.ann"
    trees.write_bytes(trees.read_bytes()[:-8])

    with pytest.raises(IndexDamaged):
        (loading(csv).find_nearest_neighbours(index) << data_set(photos)).next_batch(1)


@pytest.mark.parametrize("text", ["", "{}", '{"index": "other", "names": []}'])
def test_rejects_names_of_another_build(index: Path, csv: Path, photos: Path, text: str) -> None:
    (index / NAMES).write_text(text)

    with pytest.raises(IndexDamaged, match="Build it again"):
        (loading(csv).find_nearest_neighbours(index) << data_set(photos)).next_batch(1)


def test_rejects_an_index_of_another_encoder(index: Path, csv: Path, photos: Path) -> None:
    csv.write_text(csv.read_text().replace("dlib/", "other/"))

    with pytest.raises(IndexStale):
        (loading(csv).find_nearest_neighbours(index) << data_set(photos)).next_batch(1)


def test_vectors_of_no_stated_encoder_may_be_indexed(
    csv: Path, photos: Path, engine: FaceEngine, tmp_path: Path
) -> None:
    csv.write_text("\n".join(csv.read_text().splitlines()[1:]))
    data = data_set(photos)
    (loading(csv).build_index(tmp_path / "i.ann") << data).run(18, n_epochs=1)

    batch = (searching(src=tmp_path / "i.ann", k_neighbours=1) << data).next_batch(2)

    assert [found[0] for found in batch.neighbours] == list(batch.indices)
