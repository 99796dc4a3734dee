"""`make export` writes `networks/` anew from the published weights. Needs torch.

The same weights and the same torch give the same bytes. Raise the encoder's or the project's
version with any change to what a network computes.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from facenet_pytorch import InceptionResnetV1
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import fusion

from lookalike.faces.detection.lean_mtcnn import build_network
from lookalike.faces.encoders import dlib
from lookalike.faces.encoders.chip_network import ChipNetwork
from lookalike.faces.encoders.facenet_network import (
    GRAPH,
    VALUES,
    make_up_chips,
    make_up_state,
)
from lookalike.faces.runtime import NETWORKS, hash_file, write_sums

OPSET = 18
NAMED = 16
"""Digits of the weights' SHA-256 in a network's name."""

Array = NDArray[Any]
Axes = Mapping[str, Mapping[int, str]]

MTCNN_SHAPES = {"pnet": (1, 96, 128, 3), "rnet": (2, 24, 24, 3), "onet": (2, 48, 48, 3)}
MTCNN_AXES: dict[str, Axes] = {
    "pnet": {"image": {1: "height", 2: "width"}, "found": {2: "rows", 3: "columns"}},
    "rnet": {"image": {0: "n"}, "found": {0: "n"}},
    "onet": {"image": {0: "n"}, "found": {0: "n"}},
}
CHIP_OUTPUTS = ("vectors", "agreement")
CHIP_AXES: Axes = {name: {0: "n"} for name in ("chips", *CHIP_OUTPUTS)}


def export_all(folder: Path) -> None:
    """Write the networks, the graph of InceptionResnetV1 and their hashes into ``folder``."""
    for old in folder.glob("*.onnx"):
        old.unlink()
    for name, shape in MTCNN_SHAPES.items():
        path = folder / f"mtcnn-{name}-{hash_mtcnn(name)}.onnx"
        example = np.zeros(shape, np.uint8)
        export(build_network(name), example, path, ["found"], MTCNN_AXES[name], "image")
    chips = np.zeros((2, 150, 150, 3), np.uint8)
    path = folder / f"encoder-dlib-{dlib.WEIGHTS_SHA256[:NAMED]}.onnx"
    export(dlib.make_module(), chips, path, CHIP_OUTPUTS, CHIP_AXES)
    export_facenet(folder)
    write_sums(folder)


def hash_mtcnn(name: str) -> str:
    spec = find_spec("facenet_pytorch")
    assert spec  # noqa: S101 - imported above.
    assert spec.origin  # noqa: S101
    weights = Path(spec.origin).parent / "data" / f"{name}.pt"
    return hash_file(weights)[:NAMED]


def export_facenet(folder: Path) -> None:
    """The graph without weights, the list of what it needs, and torch's vectors of the proof."""
    network = InceptionResnetV1().eval()
    shapes = [
        (name, [*tensor.shape])
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    ]
    # With weights that all differ, since arrays that are alike are exported as one.
    made_up = make_up_state(shapes)
    network.load_state_dict(
        {name: torch.from_numpy(made_up[name]) for name in made_up}, strict=False
    )
    np.save(folder / f"{GRAPH}.npy", run_torch(ChipNetwork(network, scaled=True)))
    path = folder / f"{GRAPH}-graph.onnx"
    chips = np.zeros((2, 160, 160, 3), np.uint8)
    folded = ChipNetwork(fold_normalisations(network), scaled=True)
    export(folded, chips, path, CHIP_OUTPUTS, CHIP_AXES)
    needs = take_out_weights(path)
    about = {"needs": needs, "state": shapes}
    (folder / f"{GRAPH}.json").write_text(json.dumps(about, indent=0) + "\n")


def fold_normalisations(network: Any) -> nn.Module:
    module: Any
    for module in [*network.modules()]:
        if isinstance(getattr(module, "bn", None), nn.BatchNorm2d):
            module.conv = fusion.fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()
    network.last_linear = fusion.fuse_linear_bn_eval(network.last_linear, network.last_bn)
    network.last_bn = nn.Identity()
    folded: nn.Module = network
    return folded


def take_out_weights(path: Path) -> list[tuple[str, list[int]]]:
    """Let the file's large arrays lie in VALUES. Returns their names and shapes in order."""
    model = onnx.load(path)
    needs, offset = [], 0
    for array in model.graph.initializer:
        if not array.name.startswith("network."):
            continue
        length = len(array.raw_data)
        array.ClearField("raw_data")
        array.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": VALUES, "offset": offset, "length": length}.items():
            array.external_data.add(key=key, value=str(value))
        needs.append((array.name.removeprefix("network."), [*array.dims]))
        offset += length
    path.write_bytes(model.SerializeToString(deterministic=True))
    return needs


def run_torch(network: nn.Module) -> Array:
    """What torch says to the made-up chips."""
    with torch.inference_mode():
        vectors: Array = network(torch.from_numpy(make_up_chips()))[0].numpy()
    return vectors


def export(
    module: nn.Module,
    example: Array,
    path: Path,
    outputs: Sequence[str],
    axes: Axes,
    name: str = "chips",
) -> None:
    """Write the module as ONNX: the input ``name``, of the example's type and shape but for the
    ``axes`` that vary, as in ``{"image": {0: "n", 2: "height"}}``."""
    with warnings.catch_warnings():
        # The tracing exporter warns of its successor, which needs another package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (torch.from_numpy(example),),
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=[name],
            output_names=[*outputs],
            dynamic_axes=axes,
        )
    model = onnx.load(path)
    model.producer_version = ""  # What changes with every release of torch.
    path.write_bytes(model.SerializeToString(deterministic=True))


def main() -> None:
    parser = argparse.ArgumentParser("make export", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=NETWORKS)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    export_all(folder)


if __name__ == "__main__":
    main()
