"""InceptionResnetV1's network from its published weights, without torch.

`networks/` keeps the graph without weights, and a list of the arrays it needs. Each
normalisation is folded into the layer before it, so the graph has none. What is made here is
a folder with the graph and the arrays, which ONNX Runtime reads from the file beside the graph.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.faces.encoders.state_file import Tensor, read_state
from lookalike.faces.errors import WeightsAltered
from lookalike.faces.runtime import (
    NETWORKS,
    OnnxSession,
    find_network,
    hash_file,
    is_whole,
    write_sums,
)
from lookalike.faces.types import Pixels
from lookalike.faces.weights import check_weights

GRAPH = "encoder-facenet"
VALUES = "facenet.values"
"""The arrays as little-endian float32, in the order of the list."""

EPSILON = 0.001
"""What InceptionResnetV1's normalisations add to a variance."""

Shapes = list[tuple[str, list[int]]]


def fill_network(weights: Path, sha256: str) -> Path:
    """The network with the weights of that file, made in a folder beside it unless it is there.

    ``sha256`` is that of the file. Raises WeightsAltered if it holds other tensors than the
    network needs, or if the network's arithmetic is not torch's on this machine.
    """
    graph = find_network(GRAPH)
    key = hashlib.sha256(f"{sha256} {hash_file(graph)}".encode()).hexdigest()[:16]
    folder = weights.parent / f"facenet-{key}"
    with weights.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Another worker may be faster.
        if not all(is_whole(folder / name) for name in (graph.name, VALUES)):
            check_weights(weights, sha256)
            prove_arithmetic(weights.parent)
            with tempfile.TemporaryDirectory(dir=weights.parent) as made:
                write_network(read_state(weights), Path(made))
                remove_networks(weights.parent)
                shutil.copytree(made, folder)
    return folder / graph.name


def remove_networks(folder: Path) -> None:
    for old in folder.glob("facenet-*/"):
        shutil.rmtree(old)


def write_network(state: Mapping[str, Tensor], folder: Path) -> Path:
    """Write graph and arrays into ``folder``, and return the graph. Raises WeightsAltered."""
    with (folder / VALUES).open("wb") as file:
        for name, shape in read_shapes("needs"):
            file.write(find_values(state, name, tuple(shape)).astype("<f4").tobytes())
    graph = shutil.copy(find_network(GRAPH), folder)
    write_sums(folder)
    return Path(graph)


def read_shapes(which: str) -> Shapes:
    """Names and shapes, of the arrays that the graph "needs" or of the published "state"."""
    found: dict[str, Shapes] = json.loads((NETWORKS / f"{GRAPH}.json").read_text())
    return found[which]


def find_values(state: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    """The array ``name`` of the folded network. Raises WeightsAltered."""
    layer, _, kind = name.rpartition(".")
    try:
        values = fold(state, layer, kind) if find_normalisation(state, layer) else state[name]
    except KeyError as missing:
        raise WeightsAltered(f"The weights lack {missing}; InceptionResnetV1 has it.") from None
    if values.shape != shape or not np.isfinite(values).all():
        raise WeightsAltered(f"The weights {name} are not InceptionResnetV1's.")
    return values


def find_normalisation(state: Mapping[str, Tensor], layer: str) -> str:
    """The normalisation after a layer: "a.bn" of "a.conv", "last_bn" of "last_linear", or ""."""
    name = layer.removesuffix("conv").removesuffix("linear") + "bn"
    return name if f"{name}.weight" in state else ""


def fold(state: Mapping[str, Tensor], layer: str, kind: str) -> Tensor:
    """The layer's "weight" or "bias" with its normalisation folded in."""
    name = find_normalisation(state, layer)
    deviation = np.sqrt(state[f"{name}.running_var"].astype(np.float64) + EPSILON)
    gain = state[f"{name}.weight"] / deviation
    if kind == "bias":
        return state[f"{name}.bias"] - state[f"{name}.running_mean"] * gain
    weight = state[f"{layer}.weight"]
    folded: Tensor = weight * gain.reshape(-1, *[1] * (weight.ndim - 1))
    return folded


def prove_arithmetic(folder: Path) -> None:
    """Compare the network's vectors with torch's, for made-up weights and chips.

    Raises WeightsAltered if a cosine similarity is below 0.99999.
    """
    expected = np.load(find_network(GRAPH).with_name(f"{GRAPH}.npy"))
    with tempfile.TemporaryDirectory(dir=folder) as made:
        session = OnnxSession(write_network(make_up_state(read_shapes("state")), Path(made)), 1)
        found = session(make_up_chips())[0]
    if (found * expected).sum(axis=1).min() < 0.99999:
        raise WeightsAltered(
            "InceptionResnetV1 gives other vectors on this machine than in PyTorch, so facenet "
            "cannot be used here. Set LOOKALIKE_ENCODER=dlib."
        )


def make_up_state(shapes: Shapes) -> dict[str, Tensor]:
    """Weights of these shapes, the same on every machine, for which it tells chips apart."""
    return {
        name: make_up_values(name, tuple(shape), seed) for seed, (name, shape) in enumerate(shapes)
    }


def make_up_values(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    values = spread(math.prod(shape), seed).reshape(shape)
    if len(shape) > 1:  # As many inputs keep their variance through a ReLU.
        values *= math.sqrt(6 / math.prod(shape[1:]))
        return values.astype(np.float32)
    around = 1 if name.endswith(("bn.weight", "running_var")) else 0
    return (around + 0.1 * values).astype(np.float32)


def make_up_chips() -> Pixels:
    """(2, 160, 160, 3) uint8 of squares in several greys and colours."""
    coarse = (127.5 + 127.5 * spread(2 * 10 * 10 * 3, 0)).astype(np.uint8).reshape(2, 10, 10, 3)
    chips: Pixels = coarse.repeat(16, axis=1).repeat(16, axis=2)
    return chips


def spread(count: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers between -1 and 1 by integer arithmetic (splitmix64), the same everywhere."""
    z = np.arange(count, dtype=np.uint64) + np.uint64((seed << 32) + 1)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z >> np.uint64(11)) / 2**52 - 1
