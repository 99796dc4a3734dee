"""Networks run by ONNX Runtime without torch, and what is missing or altered is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lookalike.faces import runtime
from lookalike.faces.errors import DeviceMissing, WeightsAltered, WeightsMissing
from lookalike.faces.export import export
from lookalike.faces.runtime import OnnxSession, Runtime, Session, find_network, load_session

NO_GPU = not torch.cuda.is_available()


class TinyNet(torch.nn.Module):
    """A fully convolutional network with two outputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = torch.nn.Conv2d(3, 4, 3)
        self.second = torch.nn.Conv2d(3, 2, 3)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.first(image), self.second(image)


def load_tiny(folder: Path) -> Session:
    path = folder / "tiny.onnx"
    axes = {"image": {0: "n", 2: "height", 3: "width"}}
    export(TinyNet(), np.zeros((1, 3, 12, 12), np.float32), path, ["a", "b"], axes, "image")
    return OnnxSession(path, 1)


def refuse_to_build() -> torch.nn.Module:
    raise AssertionError("the module is built although its export is there")


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).random((2, 3, 20, 31), np.float32)


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kept networks, in use."""
    copy = shutil.copytree(runtime.NETWORKS, tmp_path / "networks")
    monkeypatch.setattr(runtime, "NETWORKS", copy)
    return copy


def test_it_works(tmp_path: Path, image: np.ndarray) -> None:
    found = load_tiny(tmp_path)(image)
    with torch.inference_mode():
        expected = TinyNet()(torch.from_numpy(image))
    assert [array.shape for array in found] == [(2, 4, 18, 29), (2, 2, 18, 29)]
    for array, tensor in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, tensor.numpy(), atol=1e-5)


def test_it_loads_what_is_kept_and_builds_nothing() -> None:
    assert load_session("mtcnn-rnet", refuse_to_build, Runtime())


def test_19_every_kept_file_is_what_the_list_says() -> None:
    names = {path.name for path in runtime.NETWORKS.iterdir()} - {
        runtime.SUMS,
        "README.md",
        "LICENCE-MTCNN",
    }
    assert len([name for name in names if name.endswith(".onnx")]) == 5
    assert [name for name in names if not runtime.is_whole(runtime.NETWORKS / name)] == []


@pytest.mark.parametrize("damage", ["cut", "altered"])
def test_19_it_rejects_a_damaged_network(networks: Path, damage: str) -> None:
    path = find_network("mtcnn-pnet")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] if damage == "cut" else whole[:40] + b"\xff" + whole[41:])
    with pytest.raises(WeightsAltered, match="Check the project out again"):
        find_network("mtcnn-pnet")


@pytest.mark.parametrize("gone", ["mtcnn-pnet-*.onnx", "SHA256SUMS"])
def test_20_it_says_how_to_get_a_missing_network(networks: Path, gone: str) -> None:
    [path] = networks.glob(gone)
    path.unlink()
    with pytest.raises(WeightsMissing, match="make export"):
        find_network("mtcnn-pnet")


@pytest.mark.parametrize("device", ["tpu", "meta", "cuda:99"])
def test_it_rejects_a_device_that_is_not_there(device: str) -> None:
    with pytest.raises(DeviceMissing, match="cpu"):
        load_session("tiny", refuse_to_build, Runtime(device=device))


@pytest.mark.skipif(not NO_GPU, reason="this machine has a CUDA device")
def test_it_says_that_there_is_no_gpu() -> None:
    with pytest.raises(DeviceMissing, match="LOOKALIKE_DEVICE=cpu"):
        load_session("tiny", TinyNet, Runtime(device="cuda"))


def test_20_it_says_that_a_gpu_needs_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "find_spec", lambda name: None)
    with pytest.raises(DeviceMissing, match=r"pip install -r requirements\.txt"):
        load_session("tiny", refuse_to_build, Runtime(device="cuda"))


@pytest.mark.gpu
@pytest.mark.skipif(NO_GPU, reason="this machine has no CUDA device")
def test_it_runs_on_a_gpu(tmp_path: Path, image: np.ndarray) -> None:
    found = load_session("tiny", TinyNet, Runtime(device="cuda"))(image)
    expected = load_tiny(tmp_path)(image)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-2)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-2)
