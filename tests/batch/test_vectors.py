from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from batchflow import B, DatasetIndex, Pipeline

from lookalike.batch import CelebrityBatch, EncoderModel
from lookalike.faces.encoders.facenet import FacenetEncoder
from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Detection, Face, Pixels, Vectors
from lookalike.faces.vectors_csv import read_vectors
from tests.batch.conftest import data_set, model, preprocessing
from tests.fakes import FakeEncoder


def predicting(folder: Path | None = None) -> Pipeline:
    return (preprocessing(folder) + model()).predict_model(
        "faces", B("images"), save_to=B("embedding")
    )


def test_it_works(
    engine: FaceEngine,
    photos: Path,
    expected: dict[str, Face],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = predicting(photos).dump(
        dst="cropped_embeddings.csv", fmt="csv", mode="a", components=["embedding"], header=False
    )

    (pipeline << data_set(photos)).run(5, n_epochs=1)

    table = read_vectors(tmp_path / "cropped_embeddings.csv")
    assert table.names == list(expected)
    assert table.encoder == ""
    for name, vector in zip(table.names, table.vectors, strict=True):
        np.testing.assert_allclose(vector, expected[name].vector, atol=2e-6)


# batchflow makes an event loop a batch for its prefetching, and never closes it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_batches_may_be_prefetched(
    engine: FaceEngine, photos: Path, expected: dict[str, Face], tmp_path: Path
) -> None:
    out = tmp_path / "vectors.csv"
    pipeline = predicting().dump(dst=out, fmt="csv", mode="a", components="embedding", header=True)

    (pipeline << data_set(photos)).run(4, n_epochs=1, prefetch=2)
    gc.collect()

    table = read_vectors(out)
    assert sorted(table.names) == list(expected)
    assert table.encoder == "dlib/" + engine.encoder.version


def test_shows_batchflows_bar(
    engine: FaceEngine, photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (Pipeline().load_cv() << data_set(photos)).run(6, n_epochs=1, notifier=True)
    assert "3/3" in "".join(capfd.readouterr())

    with pytest.warns(DeprecationWarning, match="renamed to `notifier`"):
        (Pipeline().load_cv() << data_set(photos)).run(6, n_epochs=1, bar=True)
    assert "3/3" in "".join(capfd.readouterr())


def test_a_dynamic_model_works_as_well(
    engine: FaceEngine, photos: Path, expected: dict[str, Face]
) -> None:
    pipeline = preprocessing().init_model("faces", EncoderModel)
    pipeline = pipeline.predict_model("faces", B.images, save_to=B.embedding)

    batch = (pipeline << data_set(photos)).next_batch(1)

    first = expected[batch.indices[0]]
    np.testing.assert_allclose(batch.embedding[0], first.vector, atol=2e-6)


def test_chips_of_another_size_give_nearly_the_same_vector(
    engine: FaceEngine, photos: Path, expected: dict[str, Face]
) -> None:
    pipeline = Pipeline().load_cv().detect_face().crop_from_bbox().resize((160, 160))
    pipeline = (pipeline + model()).predict_model("faces", B.images, save_to=B.embedding)

    batch = (pipeline << data_set(photos)).next_batch(3)

    for name, vector in zip(batch.indices, batch.embedding, strict=True):
        assert vector @ expected[name].vector > 0.98


def test_stack_joins_the_values_that_are_there(engine: FaceEngine) -> None:
    batch = CelebrityBatch(DatasetIndex(["a", "b", "c"]))
    batch.embedding = np.array([None, None, None], dtype=object)
    batch.embedding[0], batch.embedding[2] = np.ones(3), np.zeros(3)

    names, vectors = batch.stack("embedding")

    assert names == ["a", "c"]
    np.testing.assert_array_equal(vectors, [[1, 1, 1], [0, 0, 0]])
    with pytest.raises(ValueError, match="No photo"):
        batch.stack("neighbours")


def test_dump_rejects_what_it_does_not_know(engine: FaceEngine, tmp_path: Path) -> None:
    batch = CelebrityBatch(DatasetIndex(["a"]))

    with pytest.raises(TypeError, match="sep"):
        batch.dump(dst=tmp_path / "out.csv", fmt="csv", components="embedding", sep=";")


def test_crops_are_those_of_the_pipelines_model(
    engine: FaceEngine, photos: Path, tmp_path: Path
) -> None:
    """With a model whose chips differ from the engine's, faces are cut for the model."""

    class WideEncoder(FakeEncoder):
        name, version, chip_size = "wide", "7", FacenetEncoder.chip_size

        def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
            return np.full((self.chip_size, self.chip_size, 3), 9, np.uint8)

        def encode(self, chips: Sequence[Pixels]) -> Vectors:
            return np.array([[1, 0]] * len(chips), np.float32)

    wide = EncoderModel()
    wide.encoder = WideEncoder(2)
    pipeline = (
        Pipeline()
        .init_model("wide", source=wide)
        .load_cv()
        .detect_face()
        .crop_from_bbox()
        .predict_model("wide", B.images, save_to=B.embedding)
        .dump(dst=tmp_path / "v.csv", fmt="csv", components="embedding", header=True)
    )

    batch = (pipeline << data_set(photos)).next_batch(2)

    assert batch.images[0].shape == (FacenetEncoder.chip_size, FacenetEncoder.chip_size, 3)
    assert read_vectors(tmp_path / "v.csv").encoder == "wide/7"


def test_requires_a_choice_between_models(engine: FaceEngine, photos: Path) -> None:
    pipeline = model() + Pipeline().init_model("others", EncoderModel, "static")
    cut = pipeline + Pipeline().load_cv().detect_face().crop_from_bbox()
    with pytest.raises(ValueError, match="model=faces or others"):
        (cut << data_set(photos)).next_batch(1)

    cut = pipeline + Pipeline().load_cv().detect_face().crop_from_bbox(model="others")
    assert (cut << data_set(photos)).next_batch(1).images[0].shape == (150, 150, 3)

    cut = pipeline + Pipeline().load_cv().detect_face().crop_from_bbox(model="nobody")
    with pytest.raises(ValueError, match='no encoder model "nobody"'):
        (cut << data_set(photos)).next_batch(1)


def test_rejects_pictures_that_were_not_cropped(engine: FaceEngine, photos: Path) -> None:
    pipeline = (Pipeline().load_cv() + model()).predict_model("faces", B.images)

    with pytest.raises(ValueError, match="crop_from_bbox"):
        (pipeline << data_set(photos)).next_batch(1)


def test_rejects_training_and_saving(engine: FaceEngine) -> None:
    encoder = EncoderModel()
    encoder.reset()
    with pytest.raises(TypeError, match="already trained"):
        encoder.train()
    with pytest.raises(TypeError, match="nothing to save"):
        encoder.save("model")


def test_loads_from_a_path(engine: FaceEngine, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="fetch_weights"):
        EncoderModel({"load": {"path": tmp_path / "weights.pt"}})

    (tmp_path / "weights.pt").write_bytes(b"no weights")
    with pytest.raises(WeightsAltered):
        EncoderModel({"load": {"path": str(tmp_path / "weights.pt")}})

    assert EncoderModel({"load": {"encoder": "dlib"}, "build": False}).encoder.name == "dlib"
