"""Part "encoders": the encoders alone, beside dlib, eager torch and the machine's limit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from PIL import Image

from benchmarks.figures import Figures
from benchmarks.paths import CAST, WORK
from benchmarks.timing import RUNS, time_beside, time_once
from lookalike.faces.encoders.dlib import DlibEncoder, find_weights, read_weights
from lookalike.faces.encoders.dlib_network import DlibNetwork
from lookalike.faces.encoders.facenet import FacenetEncoder
from lookalike.faces.export import export
from lookalike.faces.runtime import OnnxSession, Runtime, Session
from lookalike.faces.types import Pixels

BATCHES = (1, 8, 32)


def bench_encoders(threads: int = 1) -> Figures:
    torch.set_num_threads(threads)
    return {
        "threads": threads,
        "matrix_gflops": round(measure_matrix_rate(), 1),
        "dlib": _bench_dlib(threads),
        "facenet": _bench_facenet(threads),
    }


def _bench_dlib(threads: int) -> Figures:
    """Our network once per face, as dlib's, and as the site runs it: each face mirrored too."""
    theirs = dlib.face_recognition_model_v1(str(find_weights()))
    ours, encoder = _load_single_pass(threads), DlibEncoder(Runtime(threads))
    gflop = count_gflop(DlibNetwork(read_weights()), 150)
    rows, differences = [], []
    for batch in BATCHES:
        chips = make_chips(150, batch)
        ways: dict[str, Callable[[], Any]] = {
            "ours": partial(ours, np.stack(chips)),
            "mirrored": partial(encoder.encode, chips),
            "dlib": partial(_describe_all, theirs, chips),
        }
        differences.append(float(np.abs(ways["ours"]()[0] - np.array(ways["dlib"]())).max()))
        rows.append(make_row(batch, time_beside(ways), gflop))
    return {"rows": rows, "gflop": round(gflop, 3), "largest_difference": max(differences)}


def _describe_all(network: Any, chips: list[Pixels]) -> list[Any]:
    return [network.compute_face_descriptor(chip) for chip in chips]


def _bench_facenet(threads: int) -> Figures:
    """InceptionResnetV1 with random weights, which take the same time as trained ones."""
    path, digest = _save_random_weights()
    encoder = FacenetEncoder(path, Runtime(threads), expected_sha256=digest)
    theirs = InceptionResnetV1()
    theirs.load_state_dict(torch.load(path, weights_only=True), strict=False)
    theirs.eval()
    gflop = count_gflop(theirs, 160)
    rows, cosines = [], []
    for batch in BATCHES:
        chips = make_chips(160, batch)
        tensor = (torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float() - 127.5) / 128
        ways: dict[str, Callable[[], Any]] = {
            "ours": partial(encoder.encode, chips),
            "eager": partial(theirs, tensor),
        }
        with torch.inference_mode():
            cosines.append(float((ways["ours"]() * ways["eager"]().numpy()).sum(axis=1).min()))
            rows.append(make_row(batch, time_beside(ways), gflop))
    return {"rows": rows, "least_cosine": min(cosines)}


def make_row(batch: int, times: Mapping[str, float], gflop: float) -> dict[str, float]:
    """Milliseconds per face of each way, how many times as long as ours the last way takes,
    and our rate. ``times`` are milliseconds per batch."""
    row = {f"{name}_ms": round(ms / batch, 2) for name, ms in times.items()}
    ours, last = times["ours"], [*times.values()][-1]
    return {
        "batch": batch,
        **row,
        "times": round(last / ours, 2),
        "gflops": round(gflop * batch / ours * 1000, 1),
    }


def make_chips(side: int, count: int) -> list[Pixels]:
    """(side, side, 3) uint8 pictures of the cast, not aligned."""
    paths = sorted(CAST.glob("*.jpg"))[:count]
    return [np.asarray(Image.open(path).convert("RGB").resize((side, side))) for path in paths]


class _SinglePass(torch.nn.Module):
    """dlib's own descriptors of uint8 chips with the channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.network = DlibNetwork(read_weights())

    def forward(self, chips: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.network(chips.permute(0, 3, 1, 2).float())
        return vectors


def _load_single_pass(threads: int) -> Session:
    path = WORK / "dlib-one-pass.onnx"
    axes = {"chips": {0: "n"}, "vectors": {0: "n"}}
    export(_SinglePass(), np.zeros((2, 150, 150, 3), np.uint8), path, ["vectors"], axes)
    return OnnxSession(path, threads)


def _save_random_weights() -> tuple[Path, str]:
    """A file in the form of the published one, and its SHA-256."""
    path = WORK / "random-inception.pt"
    if not path.exists():
        torch.manual_seed(1)
        torch.save(InceptionResnetV1().eval().state_dict(), path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def count_gflop(network: torch.nn.Module, side: int) -> float:
    """Operations in 10^9 of the convolutions for one chip; a multiply-add counts as two."""
    operations = 0

    def count(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        nonlocal operations
        weight = module.get_parameter("weight")
        operations += 2 * output[0].numel() * weight[0].numel()

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, side, side))
    return operations / 1e9


def measure_matrix_rate() -> float:
    """GFLOP/s of the fastest float32 product of two 2048 x 2048 matrices."""
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    fastest = min(time_once(lambda: torch.mm(a, b)) for _ in range(RUNS))
    return 2 * 2048**3 / (fastest / 1000) / 1e9
