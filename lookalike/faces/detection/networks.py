"""MTCNN's three networks as sessions that take uint8 pictures."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.faces.errors import WeightsMissing
from lookalike.faces.runtime import Runtime, Session, load_session

if TYPE_CHECKING:
    from torch import nn

_ARRANGEMENT = "lean-1"
"""Part of the exports' key: goes up with any change to what `lean_mtcnn` builds."""

_SHAPES = {"pnet": (1, 96, 128, 3), "rnet": (2, 24, 24, 3), "onet": (2, 48, 48, 3)}
_AXES: dict[str, dict[str, dict[int, str]]] = {
    "pnet": {"image": {1: "height", 2: "width"}, "found": {2: "rows", 3: "columns"}},
    "rnet": {"image": {0: "n"}, "found": {0: "n"}},
    "onet": {"image": {0: "n"}, "found": {0: "n"}},
}


def load_network(name: str, runtime: Runtime) -> Session:
    """The network ``name`` as a session: uint8 RGB pictures in, one float32 array out.

    - "pnet": (1, height, width, 3) -> (1, 5, rows, columns), one output for each 12 x 12
      window at a stride of 2; along axis 1 a face's log-odds and four edge corrections.
    - "rnet": (n, 24, 24, 3) -> (n, 5), the same for each crop.
    - "onet": (n, 48, 48, 3) -> (n, 15), the same, then five x and five y of the landmarks.

    Corrections and landmarks are shares of the window's or crop's side. Raises DeviceMissing,
    and WeightsMissing if facenet-pytorch, which carries the weights, is not installed.
    """

    def build() -> nn.Module:
        from lookalike.faces.detection.lean_mtcnn import build_network

        return build_network(name)

    return load_session(
        f"mtcnn-{name}",
        build,
        [np.zeros(_SHAPES[name], np.uint8)],
        f"{_weights_hash(name)} {_ARRANGEMENT}",
        runtime,
        outputs=["found"],
        dynamic_axes=_AXES[name],
    )


@lru_cache(maxsize=3)
def _weights_hash(name: str) -> str:
    """SHA-256 of the weights file, without importing facenet-pytorch, which imports torch."""
    package = find_spec("facenet_pytorch")
    if package is None or not package.submodule_search_locations:
        raise WeightsMissing(
            "The detector's networks come with facenet-pytorch, which is not installed. "
            "Install the requirements: pip install -r requirements.txt"
        )
    path = Path(package.submodule_search_locations[0]) / "data" / f"{name}.pt"
    return hashlib.sha256(path.read_bytes()).hexdigest()
