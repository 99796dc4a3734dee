"""Part 2: the encoders alone, beside dlib, eager torch, and the machine's own limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.engine import SESSIONS
from benchmarks.int8 import bench_int8
from benchmarks.peers import WORK
from benchmarks.photos import CAST
from benchmarks.timing import time_beside

BATCHES = (1, 8, 32)


def make_chips(side: int, count: int) -> list[np.ndarray]:
    paths = sorted(CAST.glob("*.jpg"))[:count]
    return [np.asarray(Image.open(path).convert("RGB").resize((side, side))) for path in paths]


def save_random_weights() -> tuple[Path, str]:
    """A randomly initialised InceptionResnetV1 in the form of the published file."""
    import hashlib

    import torch
    from facenet_pytorch import InceptionResnetV1

    path = WORK / "random-inception.pt"
    if not path.exists():
        torch.manual_seed(1)
        torch.save(InceptionResnetV1().eval().state_dict(), path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def bench_encoders(threads: int = 1) -> dict[str, Any]:
    import torch

    torch.set_num_threads(threads)
    return {
        "threads": threads,
        "dlib": _bench_dlib(threads),
        "facenet": _bench_facenet(threads),
        "int8": bench_int8(),
        "matrix_gflops": round(measure_matrix_rate(), 1),
    }


def _bench_dlib(threads: int) -> dict[str, Any]:
    """Ours and dlib's, one pass a face each, so that both do the same arithmetic."""
    import dlib

    from lookalike.faces.encoders.dlib import DlibEncoder, find_weights, read_weights
    from lookalike.faces.encoders.dlib_network import DlibNetwork
    from lookalike.faces.runtime import load_session

    theirs = dlib.face_recognition_model_v1(str(find_weights()))
    encoder = DlibEncoder(SESSIONS, threads=threads)
    plain = load_session(
        "benchmark-dlib",
        lambda: _Plain(DlibNetwork(read_weights())),
        [np.zeros((2, 150, 150, 3), np.uint8)],
        SESSIONS,
        "one pass",
        inputs=("chips",),
        outputs=("vectors",),
        dynamic_axes={"chips": {0: "n"}, "vectors": {0: "n"}},
        threads=threads,
    )
    table, apart = {}, 0.0
    for batch in BATCHES:
        chips = make_chips(150, batch)
        stack = np.stack(chips)
        expected = np.array([theirs.compute_face_descriptor(chip) for chip in chips])
        apart = max(apart, float(np.abs(plain(stack)[0] - expected).max()))
        table[batch] = {
            name: round(ms / batch, 3)
            for name, ms in time_beside(
                {
                    "lookalike": lambda stack=stack: plain(stack),
                    "lookalike, mirrored too": lambda chips=chips: encoder.encode(chips),
                    "dlib": lambda chips=chips: [theirs.compute_face_descriptor(c) for c in chips],
                },
                runs=9 if batch < 32 else 5,
            ).items()
        }
    return {
        "ms_a_face": table,
        "largest_difference": apart,
        "gflop_a_face": round(count_gflop(DlibNetwork(read_weights()), 150), 3),
    }


def count_gflop(network: Any, side: int) -> float:
    """Multiplications and additions, in 10^9 of both together, of one chip's convolutions."""
    import torch

    operations = 0

    def count(module: Any, given: Any, found: Any) -> None:
        nonlocal operations
        operations += 2 * found[0].numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, side, side))
    return operations / 1e9


def _Plain(network: Any) -> Any:  # noqa: N802 - it stands for a class, made late for torch's sake
    import torch

    class Plain(torch.nn.Module):
        """uint8 chips, channels last -> dlib's own descriptors."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, chips: torch.Tensor) -> Any:
            return self.network(chips.permute(0, 3, 1, 2).float())

    return Plain()


def _bench_facenet(threads: int) -> dict[str, Any]:
    import torch
    from facenet_pytorch import InceptionResnetV1

    from lookalike.faces.encoders.facenet import FacenetEncoder

    path, digest = save_random_weights()
    ours = FacenetEncoder(path, SESSIONS, threads=threads, expected_sha256=digest)
    theirs = InceptionResnetV1()
    theirs.load_state_dict(torch.load(path, weights_only=True), strict=False)
    theirs.eval()
    table, cosine = {}, 1.0
    for batch in BATCHES:
        chips = make_chips(160, batch)
        tensor = torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            expected = theirs((tensor - 127.5) / 128).numpy()
            cosine = min(cosine, float((ours.encode(chips) * expected).sum(axis=1).min()))
            times = time_beside(
                {
                    "lookalike": lambda chips=chips: ours.encode(chips),
                    "torch eager": lambda tensor=tensor: theirs((tensor - 127.5) / 128),
                },
                runs=9 if batch < 32 else 5,
            )
        table[batch] = {name: round(ms / batch, 2) for name, ms in times.items()}
    return {
        "ms_a_face": table,
        "least_cosine": cosine,
        "gflop_a_face": round(count_gflop(theirs, 160), 3),
    }


def measure_matrix_rate() -> float:
    """GFLOP/s of torch's own float32 product of two 2048 x 2048 matrices, the best of nine."""
    import time

    import torch

    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    best = float("inf")
    for _ in range(9):
        started = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - started)
    return 2 * 2048**3 / best / 1e9
