"""Reads the tensors of a file that `torch.save` wrote, without torch.

Such a file holds pickles, which may run any code. This unpickler knows ordered dictionaries,
tensors and their storages, and nothing else. Both forms are read: the ZIP archive (torch 1.6 and
later) and the one before it, in which facenet-pytorch's weights were published.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import WeightsAltered

Tensor = NDArray[Any]

_STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001


@dataclass(slots=True)
class _Storage:
    """A flat run of numbers. ``values`` is None until the file's end is reached."""

    dtype: np.dtype[Any]
    size: int
    values: Tensor | None = None


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor as the pickle describes it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self) -> Tensor:
        values = self.storage.values
        if 0 in self.shape:
            return np.zeros(self.shape, self.storage.dtype)
        last = self.offset + sum(
            (size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)
        )
        if values is None or min(self.offset, *self.strides, 0) < 0 or last >= len(values):
            raise ValueError("a tensor lies outside its storage")
        strides = tuple(stride * values.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides)
        return np.ascontiguousarray(view).reshape(self.shape)


def read_state(path: Path) -> dict[str, Tensor]:
    """The named tensors of a saved state dict. Raises WeightsAltered for any other content."""
    try:
        read = _read_archive if zipfile.is_zipfile(path) else _read_legacy
        found = read(path)
        if not isinstance(found, Mapping):
            raise TypeError("it holds no dictionary")
        return {str(name): view.read() for name, view in found.items() if isinstance(view, _View)}
    except Exception as problem:
        raise WeightsAltered(f"{path} holds no tensors that can be read: {problem}") from problem


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], find_storage: Callable[[Any], _Storage]) -> None:
        super().__init__(file)
        self._find_storage = find_storage

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _describe_tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        return self._find_storage(pid)


def _describe_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *rest: Any
) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


def _read_archive(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        [pickled] = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = pickled.removesuffix("data.pkl") + "data/"

        def find_storage(pid: Any) -> _Storage:
            _, dtype, key, _, size = pid
            values = np.frombuffer(archive.read(f"{folder}{key}"), dtype)
            return _Storage(dtype, size, values)

        return _Unpickler(BytesIO(archive.read(pickled)), find_storage).load()


def _read_legacy(path: Path) -> Any:
    """Four pickles (magic number, version, the writer's machine, the object), then the keys of
    the storages, then each storage: its length in eight bytes and its numbers."""
    storages: dict[str, _Storage] = {}

    def find_storage(pid: Any) -> _Storage:
        _, dtype, key, _, size, *views = pid
        if views and views[0] is not None:
            raise pickle.UnpicklingError("it holds a view of a storage")
        return storages.setdefault(key, _Storage(dtype, size))

    with path.open("rb") as file:
        header = [_Unpickler(file, find_storage).load() for _ in range(3)]
        if header[:2] != [_MAGIC_NUMBER, _PROTOCOL_VERSION]:
            raise pickle.UnpicklingError("torch did not write it")
        found = _Unpickler(file, find_storage).load()
        for key in _Unpickler(file, find_storage).load():
            storage = storages[key]
            length = int.from_bytes(file.read(8), "little")
            if length != storage.size:
                raise pickle.UnpicklingError("a storage has another length than it should")
            storage.values = np.frombuffer(
                file.read(length * storage.dtype.itemsize), storage.dtype
            )
    return found
