"""`make export`: the kept networks come from the published weights, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.faces.detection.lean_mtcnn import build_network
from lookalike.faces.export import MTCNN_AXES, MTCNN_SHAPES, export, export_all
from lookalike.faces.runtime import NETWORKS, OnnxSession


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    export_all(folder)
    return folder


def test_it_works(exported: Path) -> None:
    kept = {path.name for path in NETWORKS.iterdir()}
    assert {path.name for path in exported.iterdir()} == kept - {"README.md", "LICENCE-MTCNN"}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mtcnn-pnet", (1, 70, 90, 3)),
        ("mtcnn-rnet", (3, 24, 24, 3)),
        ("mtcnn-onet", (3, 48, 48, 3)),
        ("encoder-dlib", (3, 150, 150, 3)),
    ],
)
def test_19_a_kept_network_says_what_a_new_export_says(
    exported: Path, name: str, shape: tuple[int, ...]
) -> None:
    picture = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    [kept], [new] = (list(folder.glob(f"{name}-*.onnx")) for folder in (NETWORKS, exported))
    for ours, theirs in zip(
        OnnxSession(kept, 1)(picture), OnnxSession(new, 1)(picture), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_graph_of_facenet_is_the_same(exported: Path) -> None:
    for name in ("encoder-facenet.json", "encoder-facenet.npy"):
        kept, new = (NETWORKS / name), (exported / name)
        if name.endswith("npy"):
            np.testing.assert_allclose(np.load(kept), np.load(new), atol=1e-5)
        else:
            assert kept.read_text() == new.read_text()


def test_an_export_gives_the_same_bytes_every_time(tmp_path: Path, exported: Path) -> None:
    example = np.zeros(MTCNN_SHAPES["pnet"], np.uint8)
    again = tmp_path / "again.onnx"
    export(build_network("pnet"), example, again, ["found"], MTCNN_AXES["pnet"], "image")
    [first] = exported.glob("mtcnn-pnet-*.onnx")
    assert again.read_bytes() == first.read_bytes()
