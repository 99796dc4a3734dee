"""Photos of the fictional cast, some of them spoilt, and the pipelines that all tests share."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from batchflow import Dataset, FilesIndex, Pipeline
from PIL import Image

from lookalike.batch import CelebrityBatch, EncoderModel, get_engine, use_engine
from lookalike.batch.steps import open_file
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Face

SIDE = 150


@pytest.fixture(scope="session")
def engine() -> Iterator[FaceEngine]:
    """The real engine, the one that batches use as well."""
    use_engine(None)
    yield get_engine()
    use_engine(None)


@pytest.fixture(scope="session")
def photos(cast: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six people of the cast, three photos each."""
    folder = tmp_path_factory.mktemp("photos")
    for slug in sorted(cast)[:6]:
        for path in cast[slug]:
            shutil.copy(path, folder)
    return folder


@pytest.fixture
def spoilt(photos: Path, tmp_path: Path) -> Path:
    """Six good photos, half a JPEG, a wall without a face and a text."""
    folder = tmp_path / "spoilt"
    folder.mkdir()
    for path in sorted(photos.iterdir())[:6]:
        shutil.copy(path, folder)
    whole = (folder / sorted(p.name for p in folder.iterdir())[0]).read_bytes()
    (folder / "b-half.jpg").write_bytes(whole[: len(whole) // 2])
    wall = io.BytesIO()
    Image.new("RGB", (400, 300), (120, 130, 140)).save(wall, "JPEG")
    (folder / "b-wall.jpg").write_bytes(wall.getvalue())
    (folder / "b-text.jpg").write_text("no picture at all")
    return folder


def data_set(folder: Path) -> Dataset:
    return Dataset(FilesIndex(path=f"{folder}/*.jpg", sort=True), CelebrityBatch)


def preprocessing(folder: Path | None = None) -> Pipeline:
    """The first composition of the workflow."""
    return (
        Pipeline()
        .load_cv(src=folder, fmt="cv", components="images")
        .detect_face()
        .crop_from_bbox()
        .resize((SIDE, SIDE), fmt="cv")
        .to_rgb()
        .to_pil()
    )


def model() -> Pipeline:
    return Pipeline().init_model("faces", EncoderModel, "static")


def engine_faces(engine: FaceEngine, folder: Path) -> dict[str, Face]:
    """What the engine on its own, photo by photo, finds in the same files."""
    faces = {}
    for path in sorted(folder.iterdir()):
        photo, found = engine.find_faces(open_file(path))
        faces[path.name] = engine.encode_faces(photo, found[:1])[0]
    return faces


@pytest.fixture(scope="session")
def expected(engine: FaceEngine, photos: Path) -> dict[str, Face]:
    return engine_faces(engine, photos)
