"""The embedded encoder in whole numbers of 8 bits: how fast, and who is still found?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine import SESSIONS, make_engine, open_file
from benchmarks.pairs import find_pairs, find_photos, measure_pairs
from benchmarks.timing import time_beside

CALIBRATED_ON = 120
BATCH = 8


def bench_int8() -> dict[str, Any]:
    """Both ways, beside each other: milliseconds a face, ranks of the pairs of photos, and
    the cosine of their vectors."""
    from lookalike.faces.encoders.chips import encode_in_batches
    from lookalike.faces.runtime import OnnxSession

    engine = make_engine()
    chips = _cut_chips(engine)
    exports = SESSIONS.glob("encoder-dlib-*.onnx")
    floats = max(exports, key=lambda path: path.stat().st_mtime)
    ways = {
        "float32": OnnxSession(floats),
        "int8": OnnxSession(_quantize(floats, [*chips.values()][:CALIBRATED_ON])),
    }
    vectors = {
        name: encode_in_batches(session, [*chips.values()], engine.encoder.dimensions)
        for name, session in ways.items()
    }
    batch = np.stack([*chips.values()][:BATCH])
    times = time_beside({name: lambda run=run: run(batch) for name, run in ways.items()})
    gallery, queries = find_pairs(chips)
    table = {}
    for name in ways:
        known = dict(zip(chips, vectors[name], strict=True))
        found = measure_pairs(known.get, gallery, queries)
        table[name] = {"ms_a_face": round(times[name] / BATCH, 2), **found}
    cosines = (vectors["float32"] * vectors["int8"]).sum(axis=1)
    return {"ways": table, "least_cosine": round(float(cosines.min()), 5)}


def _cut_chips(engine: Any) -> dict[Path, np.ndarray]:
    chips = {}
    for path in find_photos():
        turned, found = engine.find_faces(open_file(path))
        if found:
            chips[path] = engine.encoder.align(turned.pixels, found[0])
    return chips


def _quantize(floats: Path, chips: Sequence[np.ndarray]) -> Path:
    """Unsigned activations and signed weights, a scale a channel, as ONNX Runtime's own
    kernels want them."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Chips(CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter(range(0, len(chips), 4))

        def get_next(self) -> dict[str, np.ndarray] | None:
            start = next(self._batches, None)
            return None if start is None else {"chips": np.stack(chips[start : start + 4])}

    prepared, path = SESSIONS / "int8-prepared.onnx", SESSIONS / "int8.onnx"
    logging.disable(logging.WARNING)  # It warns of each operator that stays in float32.
    quant_pre_process(str(floats), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(path),
        Chips(),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    logging.disable(logging.NOTSET)
    return path
