from __future__ import annotations

import logging
from pathlib import Path

import pytest
from batchflow import B, Pipeline

from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.vectors_csv import read_vectors
from tests.batch.conftest import data_set, model, preprocessing

REASONS = {
    "b-half.jpg": "unreadable",
    "b-text.jpg": "unsupported",
    "b-wall.jpg": "no_face",
}


def test_it_works(engine: FaceEngine, spoilt: Path, tmp_path: Path) -> None:
    """Photos that cannot be used keep their places, and the run goes on."""
    out = tmp_path / "vectors.csv"
    pipeline = (preprocessing() + model()).predict_model(
        "faces", B("images"), save_to=B("embedding")
    )
    pipeline = pipeline.dump(dst=out, fmt="csv", mode="a", components="embedding") << data_set(
        spoilt
    )

    batches = list(pipeline.gen_batch(4, n_epochs=1))

    assert [len(batch) for batch in batches] == [4, 4, 1]
    found = {
        name: reason
        for batch in batches
        for name, reason in zip(batch.indices, batch.reasons, strict=True)
    }
    assert {name: reason for name, reason in found.items() if reason} == REASONS
    assert pipeline.v("missing") == REASONS
    for batch in batches:
        for name, image, vector in zip(batch.indices, batch.images, batch.embedding, strict=True):
            assert (image is None) == (vector is None) == (name in REASONS)
    assert len(read_vectors(out).names) == 6


def test_says_how_many(engine: FaceEngine, spoilt: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "lookalike.batch"):
        (preprocessing() << data_set(spoilt)).run(9, n_epochs=1)

    assert [record.message for record in caplog.records if record.name == "lookalike.batch"] == [
        "Photos left out: 2 of 9 in this batch (unreadable: 1, unsupported: 1), 2 so far.",
        "Photos left out: 1 of 9 in this batch (no_face: 1), 3 so far.",
    ]


def test_handles_a_batch_of_nothing_else(engine: FaceEngine, spoilt: Path) -> None:
    for path in spoilt.iterdir():
        if path.name not in REASONS:
            path.unlink()
    pipeline = (preprocessing() + model()).predict_model(
        "faces", B("images"), save_to=B("embedding")
    )

    batch = (pipeline << data_set(spoilt)).next_batch(3)

    assert list(batch.embedding) == [None, None, None]
    assert list(batch.reasons) == list(REASONS.values())


def test_handles_a_photo_that_is_gone(engine: FaceEngine, spoilt: Path) -> None:
    data = data_set(spoilt)
    gone = data.indices[0]
    (spoilt / gone).unlink()

    pipeline = Pipeline().load_cv() << data
    pipeline.run(9, n_epochs=1)

    assert pipeline.v("missing")[gone] == "no_file"


def test_a_photo_that_is_mended_counts_no_more(engine: FaceEngine, spoilt: Path) -> None:
    pipeline = Pipeline().load_cv() << data_set(spoilt)
    pipeline.run(9, n_epochs=1)
    assert set(pipeline.v("missing")) == {"b-half.jpg", "b-text.jpg"}

    (spoilt / "b-half.jpg").write_bytes((spoilt / "b-wall.jpg").read_bytes())
    pipeline.run(9, n_epochs=1)

    assert set(pipeline.v("missing")) == {"b-text.jpg"}
