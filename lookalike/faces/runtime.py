"""A torch module -> an ONNX Runtime session, exported once and kept on disk.

Only the export needs torch. A worker that finds the file loads it with ONNX Runtime alone: it
starts faster and needs a fraction of the memory. On a GPU the module runs in torch instead,
and nothing is exported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import DeviceMissing

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]
ModuleFactory = Callable[[], "torch.nn.Module"]
DynamicAxes = Mapping[str, Mapping[int, str]]

OPSET = 18
EXPORT_VERSION = 1
"""Part of the exports' key: goes up whenever the export itself changes."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where networks run: on ``threads`` CPU threads, or on a GPU as ``device`` "cuda" or
    "cuda:N". Exports are kept in ``cache_dir``."""

    cache_dir: Path
    threads: int = 1
    device: str = "cpu"


class Session(Protocol):
    """A loaded network: its inputs in order -> its outputs in order."""

    def __call__(self, *inputs: Array) -> list[Array]: ...


def load_session(
    name: str,
    make_module: ModuleFactory,
    examples: Sequence[Array],
    key: str,
    runtime: Runtime,
    *,
    outputs: Sequence[str],
    inputs: Sequence[str] = ("image",),
    dynamic_axes: DynamicAxes | None = None,
) -> Session:
    """The network ``name``, ready to run.

    ``make_module`` builds the torch module with its weights. It is called only on a GPU, or
    if there is no intact export in the cache. ``examples`` are arrays of the inputs' types
    and shapes; ``dynamic_axes`` names the axes that vary, as in
    ``{"image": {0: "n", 2: "height", 3: "width"}}``. ``key`` identifies the weights (by their
    SHA-256) and the module's structure: another key is another file.

    Raises DeviceMissing, and whatever ``make_module`` raises.
    """
    if runtime.device != "cpu":
        return TorchSession(make_module(), runtime.device)
    path = runtime.cache_dir / f"{name}-{_digest(key)}.onnx"
    if not _is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent / "export.lock"):
            if not _is_whole(path):  # Another worker may have been faster.
                _export(make_module(), examples, path, inputs, outputs, dynamic_axes or {})
    return OnnxSession(path, runtime.threads)


class OnnxSession:
    """A network in ONNX Runtime on the CPU, from a file or its bytes."""

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait by spinning would take the core of the next worker.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]

    def __call__(self, *inputs: Array) -> list[Array]:
        found: list[Array] = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))
        return found


class TorchSession:
    """The same network in torch on a GPU."""

    def __init__(self, module: torch.nn.Module, device: str) -> None:
        self._device = _find_device(device)
        self._module = module.eval().to(self._device)

    def __call__(self, *inputs: Array) -> list[Array]:
        import torch

        with torch.inference_mode():
            tensors = [torch.as_tensor(array, device=self._device) for array in inputs]
            found = self._module(*tensors)
        found = [found] if isinstance(found, torch.Tensor) else found
        return [tensor.cpu().numpy() for tensor in found]


def _find_device(device: str) -> torch.device:
    import torch

    try:
        wanted = torch.device(device)
    except RuntimeError:
        raise DeviceMissing(f'"{device}" is not a device. Use "cpu", "cuda" or "cuda:N".') from None
    if wanted.type != "cuda":
        raise DeviceMissing(f'"{device}" is not supported. Use "cpu", "cuda" or "cuda:N".')
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (wanted.index or 0) >= count:
        raise DeviceMissing(
            f'torch finds {count} CUDA devices here, so "{device}" cannot be used. '
            "Set LOOKALIKE_DEVICE=cpu, or install a driver and a CUDA build of torch."
        )
    return wanted


def _digest(key: str) -> str:
    """All that an export's content depends on, without importing torch."""
    parts = [key, version("torch"), str(OPSET), str(EXPORT_VERSION)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _checksum_path(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _is_whole(path: Path) -> bool:
    """Whether the export exists and matches its checksum."""
    try:
        expected = _checksum_path(path).read_bytes().strip()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().encode() == expected
    except FileNotFoundError:
        return False


def _export(
    module: torch.nn.Module,
    examples: Sequence[Array],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic_axes: DynamicAxes,
) -> None:
    """Write the export, then its checksum, each atomically."""
    import torch

    tensors = tuple(torch.from_numpy(np.ascontiguousarray(example)) for example in examples)
    with _written_whole(path) as partial, warnings.catch_warnings():
        # The tracing exporter warns of its successor, which needs another package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tensors,
            str(partial),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in dynamic_axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
        checksum = hashlib.sha256(partial.read_bytes()).hexdigest()
    with _written_whole(_checksum_path(path)) as partial:
        partial.write_text(checksum + "\n")


@contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """A temporary file that replaces ``path`` at the end, unless the block fails."""
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock among all processes. The system releases it if this one dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
