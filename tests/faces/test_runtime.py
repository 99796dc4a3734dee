"""A network is exported once, checked when it is loaded, and runs without torch after that."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from lookalike.faces.errors import DeviceMissing
from lookalike.faces.runtime import Runtime, Session, load_session

NO_GPU = not torch.cuda.is_available()


class TinyNet(torch.nn.Module):
    """A fully convolutional network with two outputs, as P-Net is."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = torch.nn.Conv2d(3, 4, 3)
        self.second = torch.nn.Conv2d(3, 2, 3)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.first(image), self.second(image)


def load_tiny(cache_dir: Path, key: str = "one", device: str = "cpu") -> Session:
    return load_session(
        "tiny",
        TinyNet,
        [np.zeros((1, 3, 12, 12), np.float32)],
        key,
        Runtime(cache_dir, device=device),
        outputs=("first", "second"),
        dynamic_axes={"image": {0: "n", 2: "height", 3: "width"}},
    )


def refuse_to_build() -> torch.nn.Module:
    raise AssertionError("the module is built although its export is there")


def load_cached(cache_dir: Path, key: str = "one") -> Session:
    return load_session("tiny", refuse_to_build, [], key, Runtime(cache_dir), outputs=())


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).random((2, 3, 20, 31), np.float32)


def test_it_works(tmp_path: Path, image: np.ndarray) -> None:
    found = load_tiny(tmp_path)(image)
    with torch.inference_mode():
        expected = TinyNet()(torch.from_numpy(image))
    assert [array.shape for array in found] == [(2, 4, 18, 29), (2, 2, 18, 29)]
    for array, tensor in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, tensor.numpy(), atol=1e-5)


def test_it_builds_the_module_once(tmp_path: Path, image: np.ndarray) -> None:
    first = load_tiny(tmp_path)(image)
    second = load_cached(tmp_path)(image)
    np.testing.assert_array_equal(first[0], second[0])


def test_it_imports_no_torch_when_the_export_is_there(tmp_path: Path) -> None:
    load_tiny(tmp_path)
    code = f"""
        import sys
        from pathlib import Path
        import numpy as np
        from lookalike.faces.runtime import Runtime, load_session
        runtime = Runtime(Path({str(tmp_path)!r}))
        session = load_session("tiny", None, [], "one", runtime, outputs=())
        assert session(np.zeros((1, 3, 9, 9), np.float32))[0].shape == (1, 4, 7, 7)
        sys.exit("torch" in sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize("suffix", [".onnx", ".sha256"])
@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_it_handles_a_damaged_export(
    tmp_path: Path, image: np.ndarray, suffix: str, damage: str
) -> None:
    expected = load_tiny(tmp_path)(image)
    [path] = tmp_path.glob(f"tiny-*{suffix}")
    whole = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(whole[: len(whole) // 2])
        case "altered":
            path.write_bytes(whole[:40] + b"\xff" + whole[41:])
        case "gone":
            path.unlink()
    np.testing.assert_array_equal(load_tiny(tmp_path)(image)[0], expected[0])
    assert load_cached(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".onnx", ".sha256"]


def test_it_keeps_other_weights_apart(tmp_path: Path) -> None:
    load_tiny(tmp_path, "one")
    with pytest.raises(AssertionError, match="the module is built"):
        load_cached(tmp_path, "two")


def test_it_leaves_nothing_behind_when_the_export_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        load_cached(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["export.lock"]


def test_it_exports_once_when_two_workers_start_together(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        import tests.faces.test_runtime as here
        class Counted(here.TinyNet):
            def __init__(self):
                super().__init__()
                with open({str(tmp_path / "built")!r}, "a") as file:
                    file.write("x")
        here.TinyNet = Counted
        here.load_tiny(Path({str(tmp_path / "cache")!r}))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert (tmp_path / "built").read_text() == "x"


@pytest.mark.parametrize("device", ["tpu", "meta", "cuda:99"])
def test_it_rejects_a_device_that_is_not_there(tmp_path: Path, device: str) -> None:
    with pytest.raises(DeviceMissing, match="cpu"):
        load_tiny(tmp_path, device=device)


@pytest.mark.skipif(not NO_GPU, reason="this machine has a CUDA device")
def test_it_says_that_there_is_no_gpu(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="LOOKALIKE_DEVICE=cpu"):
        load_tiny(tmp_path, device="cuda")


@pytest.mark.gpu
@pytest.mark.skipif(NO_GPU, reason="this machine has no CUDA device")
def test_it_runs_on_a_gpu(tmp_path: Path, image: np.ndarray) -> None:
    found = load_tiny(tmp_path, device="cuda")(image)
    expected = load_tiny(tmp_path)(image)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-2)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-2)
