"""Networks ready to run: exported to ONNX and kept in `networks/`, or torch modules on a GPU.

Only `make export` and a GPU need torch (`export.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from lookalike.faces.errors import DeviceMissing, WeightsAltered, WeightsMissing

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]
ModuleFactory = Callable[[], "torch.nn.Module"]

NETWORKS = Path(__file__).parent / "networks"
SUMS = "SHA256SUMS"
KEPT = {".onnx", ".json", ".npy", ".values"}


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where networks run. ``device`` is "cpu", "cuda" or "cuda:N"."""

    threads: int = 1
    device: str = "cpu"


class Session(Protocol):
    """A loaded network: its inputs in order -> its outputs in order."""

    def __call__(self, *inputs: Array) -> list[Array]: ...


def load_session(name: str, make_module: ModuleFactory, runtime: Runtime) -> Session:
    """The network ``name`` of `networks/`, ready to run; on a GPU, what ``make_module`` builds.

    Raises DeviceMissing, WeightsMissing, WeightsAltered, and whatever ``make_module`` raises.
    """
    if runtime.device != "cpu":
        return TorchSession(make_module, runtime.device)
    return OnnxSession(find_network(name), runtime.threads)


def find_network(name: str) -> Path:
    """The path of the network ``name``, checked. Raises WeightsMissing or WeightsAltered."""
    found = re.search(rf"^\w+  ({re.escape(name)}-\w+\.onnx)$", read_sums(NETWORKS), re.M)
    path = NETWORKS / (found[1] if found else name)
    if not path.is_file():
        raise WeightsMissing(
            f"The network {name} is not in {NETWORKS}. Check the project out again, or export the "
            "networks anew: make export (needs PyTorch)."
        )
    if not is_whole(path):
        raise WeightsAltered(
            f"{path} is not what {SUMS} beside it says. Check the project out again."
        )
    return path


def is_whole(path: Path) -> bool:
    """Whether the file has the SHA-256 that the list beside it names."""
    return path.is_file() and f"{hash_file(path)}  {path.name}\n" in read_sums(path.parent)


def write_sums(folder: Path) -> None:
    """List every file of the folder, as `sha256sum -c` reads it."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in KEPT]
    (folder / SUMS).write_text("".join(f"{hash_file(path)}  {path.name}\n" for path in paths))


def read_sums(folder: Path) -> str:
    path = folder / SUMS
    return path.read_text() if path.is_file() else ""


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class OnnxSession:
    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The arena never shrinks: 180 MB after some portraits, and no faster.
        options.enable_cpu_mem_arena = False
        # Threads that wait by spinning would take the core of the next worker.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        self._inputs = [each.name for each in self._session.get_inputs()]

    def __call__(self, *inputs: Array) -> list[Array]:
        found: list[Array] = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))
        return found


class TorchSession:
    def __init__(self, make_module: ModuleFactory, device: str) -> None:
        _require_gpu(device)
        self._device = device
        self._module = make_module().eval().to(device)

    def __call__(self, *inputs: Array) -> list[Array]:
        import torch

        with torch.inference_mode():
            found = self._module(*(torch.as_tensor(array, device=self._device) for array in inputs))
        found = [found] if isinstance(found, torch.Tensor) else found
        return [tensor.cpu().numpy() for tensor in found]


def _require_gpu(device: str) -> None:
    wanted = re.fullmatch(r"cuda(?::(\d+))?", device)
    if not wanted:
        raise DeviceMissing(f'"{device}" is not supported. Use "cpu", "cuda" or "cuda:N".')
    if find_spec("torch") is None:
        raise DeviceMissing(
            f'"{device}" needs PyTorch, which is not installed. Run ".venv/bin/pip install -r '
            'requirements.txt" (or "make run FULL=1"), or set LOOKALIKE_DEVICE=cpu.'
        )
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(wanted[1] or 0) >= count:
        raise DeviceMissing(
            f'torch finds {count} CUDA devices here, so "{device}" cannot be used. '
            "Set LOOKALIKE_DEVICE=cpu, or install a driver and a CUDA build of torch."
        )
