"""The facenet encoder gives facenet-pytorch's numbers, from a state saved as it publishes
them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models.utils.detect_face import extract_face
from PIL import Image

from lookalike.faces.encoders.facenet import FacenetEncoder, crop_box
from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Box, Pixels
from lookalike.faces.weights import FACENET
from tests.fakes import make_detection

DEMO = Path(__file__).parents[2] / "celebrities" / "galleries" / "fictional"


def scale(chips: list[Pixels]) -> torch.Tensor:
    images = torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float()
    return (images - 127.5) / 128


@pytest.fixture(scope="module")
def network(chips: list[Pixels]) -> InceptionResnetV1:
    """Random weights, with the running means and variances that training would leave:
    without them a random network answers the same to every picture."""
    torch.manual_seed(11)
    network = InceptionResnetV1(classify=True, num_classes=8631)
    network.classify = False
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(scale(chips))
    return network.eval()


@pytest.fixture(scope="module")
def weights(network: InceptionResnetV1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state as it is published: with the classifier's layer."""
    path = tmp_path_factory.mktemp("weights") / FACENET.file_name
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def sha256(weights: Path) -> str:
    return hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def encoder(weights: Path, sha256: str) -> FacenetEncoder:
    return FacenetEncoder(weights, Runtime(), expected_sha256=sha256)


@pytest.fixture(scope="module")
def chips() -> list[Pixels]:
    rng = np.random.default_rng(4)
    photos = [Image.open(path).resize((160, 160)) for path in sorted(DEMO.glob("*_1.jpg"))[:4]]
    return [
        *(np.asarray(photo.convert("RGB")) for photo in photos),
        rng.integers(0, 256, (160, 160, 3), np.uint8),
    ]


def test_it_works(encoder: FacenetEncoder, network: InceptionResnetV1, chips: list[Pixels]) -> None:
    found = encoder.encode(chips)
    with torch.inference_mode():
        expected = network(scale(chips)).numpy()
    assert found.shape == (len(chips), encoder.dimensions)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert (found * expected).sum(axis=1).min() > 0.99999
    # The network tells these chips apart, or the line above would say nothing.
    assert (expected[0] * expected[4]).sum() < 0.9


def test_it_handles_no_chips(encoder: FacenetEncoder) -> None:
    assert encoder.encode([]).shape == (0, 512)


def test_it_imports_no_torch(weights: Path, sha256: str) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from lookalike.faces.encoders.facenet import FacenetEncoder;"
        "from lookalike.faces.runtime import Runtime;"
        f"FacenetEncoder(Path({str(weights)!r}), Runtime(),"
        f" expected_sha256={sha256!r});"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "box",
    [
        Box(60.7, 50.2, 190.9, 220.1),
        Box(-20.5, -3.1, 90.4, 120.0),
        Box(150.0, 160.0, 900.0, 900.0),
    ],
)
def test_it_crops_as_facenet_pytorch_does(encoder: FacenetEncoder, box: Box) -> None:
    photo = Image.open(DEMO / "adaeze-nwokoma_1.jpg").convert("RGB")
    expected = extract_face(photo, np.array(box), 160).permute(1, 2, 0).numpy()
    chip = encoder.align(np.asarray(photo), make_detection(box))
    np.testing.assert_array_equal(chip, expected.astype(np.uint8))


def test_zoom_crops_a_smaller_box(encoder: FacenetEncoder) -> None:
    photo = np.asarray(Image.open(DEMO / "adaeze-nwokoma_1.jpg").convert("RGB"))
    zoomed = encoder.align(photo, make_detection(Box(40, 40, 240, 280)), 2.0)
    np.testing.assert_array_equal(zoomed, crop_box(photo, Box(90, 100, 190, 220), 160))


def test_without_a_mirror_image_the_agreement_is_1(
    encoder: FacenetEncoder, chips: list[Pixels]
) -> None:
    np.testing.assert_allclose(encoder.encode_with_agreement(chips)[1], 1, atol=1e-5)


@pytest.mark.parametrize("box", [Box(500, 500, 600, 600), Box(-90, -90, -10, -10), Box(5, 5, 5, 5)])
def test_it_handles_a_box_outside_the_picture(box: Box) -> None:
    assert crop_box(np.ones((50, 40, 3), np.uint8), box, 160).shape == (160, 160, 3)


def test_it_says_how_to_get_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        FacenetEncoder(tmp_path / FACENET.file_name, Runtime())
    assert "manage.py fetch_weights facenet" in str(caught.value)
    assert "--from FILE" in str(caught.value)


def test_it_rejects_other_weights(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsAltered, match="not the published file"):
        FacenetEncoder(weights, Runtime())


def test_it_runs_no_code_from_a_weights_file(tmp_path: Path) -> None:
    """A pickle that would make a file is refused, and makes none."""

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "trap.pt"
    torch.save({"trap": Trap()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(Exception, match="it asks for"):
        FacenetEncoder(path, Runtime(), expected_sha256=sha256)
    assert not (tmp_path / "sprung").exists()
