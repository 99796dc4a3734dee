"""A torch module -> a session of ONNX Runtime, exported once and kept on disk.

The export is the only step that needs torch. Once the file is there, a worker loads it
with ONNX Runtime alone: it starts faster, and needs a fraction of the memory. On a GPU the
same module runs in torch instead, and nothing is exported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
"""Goes up whenever the export itself changes, so that files of the old way are left alone."""


class Session(Protocol):
    """A loaded network: the inputs in their order -> the outputs in their order."""

    def __call__(self, *inputs: Array) -> list[Array]: ...


def load_session(
    name: str,
    make_module: ModuleFactory,
    examples: Sequence[Array],
    cache_dir: Path,
    key: str,
    *,
    outputs: Sequence[str],
    inputs: Sequence[str] = ("image",),
    dynamic_axes: DynamicAxes | None = None,
    threads: int = 1,
    device: str = "cpu",
) -> Session:
    """The network ``name``, ready to run.

    ``make_module`` builds the torch module with its weights; it is called only when there
    is no good export under ``cache_dir``, or on a GPU. ``examples`` are arrays of the
    inputs' types and shapes, ``dynamic_axes`` says which axes vary, as in
    ``{"image": {0: "n", 2: "height", 3: "width"}}``. ``key`` says which weights these are
    (their SHA-256) and whatever else the module's shape depends on: another key is another
    file. ``device`` is "cpu", "cuda" or "cuda:N".

    Raises DeviceMissing, and whatever ``make_module`` raises.
    """
    if device != "cpu":
        return TorchSession(make_module(), device)
    path = cache_dir / f"{name}-{_digest(key)}.onnx"
    if not _is_whole(path):
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / "export.lock"):
            if not _is_whole(path):  # Another worker may have been faster.
                _export(make_module(), examples, path, inputs, outputs, dynamic_axes or {})
    return OnnxSession(path, threads)


class OnnxSession:
    """A network in ONNX Runtime on the CPU, from its file or the bytes of one."""

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads sleep. Spinning ones would take the core of the worker beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [given.name for given in self._session.get_inputs()]

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
            given = [torch.as_tensor(array, device=self._device) for array in inputs]
            found = self._module(*given)
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
    """Names the file by all that its content depends on. Asks for versions, imports nothing."""
    parts = [key, version("torch"), str(OPSET), str(EXPORT_VERSION)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _checksum_path(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _is_whole(path: Path) -> bool:
    """Whether the export is there and its bytes are those that were written."""
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
    """Write the export and then its checksum, each whole or not at all."""
    import torch

    given = tuple(torch.from_numpy(np.ascontiguousarray(example)) for example in examples)
    with _written_whole(path) as partial, warnings.catch_warnings():
        # The tracing exporter needs no further package, and warns that a newer one exists.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            given,
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
    """A temporary file beside ``path`` which takes its place at the end, unless it fails."""
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
    """Holds the lock file ``path`` among all processes. The system frees it if we die."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
