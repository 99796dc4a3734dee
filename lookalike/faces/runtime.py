"""A torch module -> an ONNX Runtime session, exported once and kept on disk.

Only the export needs torch, so a worker that finds it starts faster and takes less memory. On
a GPU the module runs in torch instead.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
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

_OPSET = 18
_EXPORT_VERSION = 2
"""Part of the exports' key: goes up whenever the export itself changes."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where networks run. ``device`` is "cpu", "cuda" or "cuda:N"; ``cache_dir`` keeps exports."""

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
    dynamic_axes: Mapping[str, Mapping[int, str]] | None = None,
) -> Session:
    """The network ``name``, ready to run.

    ``make_module`` builds the torch module with its weights, on a GPU or if the cache has no
    intact export. ``examples`` are arrays of the inputs' types and shapes; ``dynamic_axes``
    names the axes that vary, as in ``{"image": {0: "n", 2: "height"}}``. ``key`` identifies
    weights and structure. Raises DeviceMissing, and whatever ``make_module`` raises.
    """
    if runtime.device != "cpu":
        return TorchSession(make_module(), runtime.device)
    folder = runtime.cache_dir
    # All that the export's content depends on.
    parts = [key, version("torch"), str(_OPSET), str(_EXPORT_VERSION)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    path = folder / f"{name}-{digest}.onnx"
    if not _is_whole(path):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "export.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_whole(path):  # Another worker may have been faster.
                _export(
                    make_module(),
                    examples,
                    path,
                    input_names=list(inputs),
                    output_names=list(outputs),
                    dynamic_axes=dynamic_axes,
                )
    return OnnxSession(path, runtime.threads)


class OnnxSession:
    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
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
    def __init__(self, module: torch.nn.Module, device: str) -> None:
        _require_gpu(device)
        self._device = device
        self._module = module.eval().to(device)

    def __call__(self, *inputs: Array) -> list[Array]:
        import torch

        with torch.inference_mode():
            found = self._module(*(torch.as_tensor(array, device=self._device) for array in inputs))
        found = [found] if isinstance(found, torch.Tensor) else found
        return [tensor.cpu().numpy() for tensor in found]


def _require_gpu(device: str) -> None:
    import torch

    wanted = re.fullmatch(r"cuda(?::(\d+))?", device)
    if not wanted:
        raise DeviceMissing(f'"{device}" is not supported. Use "cpu", "cuda" or "cuda:N".')
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(wanted[1] or 0) >= count:
        raise DeviceMissing(
            f'torch finds {count} CUDA devices here, so "{device}" cannot be used. '
            "Set LOOKALIKE_DEVICE=cpu, or install a driver and a CUDA build of torch."
        )


def _is_whole(path: Path) -> bool:
    try:
        return path.with_suffix(".sha256").read_text(errors="replace").strip() == _hash_file(path)
    except FileNotFoundError:
        return False


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _export(module: torch.nn.Module, examples: Sequence[Array], path: Path, **names: Any) -> None:
    """Write the export, then its checksum, without which it counts as absent."""
    import torch

    tensors = tuple(torch.from_numpy(np.ascontiguousarray(example)) for example in examples)
    with warnings.catch_warnings():
        # The tracing exporter warns of its successor, which needs another package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), tensors, str(path), opset_version=_OPSET, dynamo=False, **names
        )
    path.with_suffix(".sha256").write_text(_hash_file(path) + "\n")
