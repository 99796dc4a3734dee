"""The choice of an encoder. Importing this loads neither torch nor ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from lookalike.faces.encoders import dlib, facenet
from lookalike.faces.encoders.base import EncoderSpec
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Encoder, EncoderId

AUTO = "auto"

ENCODERS: dict[str, EncoderSpec] = {spec.name: spec for spec in (facenet.SPEC, dlib.SPEC)}
"""By name, the preferred one first. "auto" takes the first whose weights are present."""


def find_spec(encoder: EncoderId) -> EncoderSpec | None:
    """None for a name or a version that this project does not have."""
    spec = ENCODERS.get(encoder.name)
    return spec if spec and spec.version == encoder.version else None


def list_choices() -> list[str]:
    return [AUTO, *ENCODERS]


def resolve_name(wanted: str, weights_dir: Path) -> str:
    """The encoder's name for "auto" or a name. Raises ValueError for any other."""
    if wanted == AUTO:
        return next(name for name, spec in ENCODERS.items() if spec.is_available(weights_dir))
    if wanted not in ENCODERS:
        raise ValueError(
            f'"{wanted}" is not an encoder. Choose one of {", ".join(list_choices())}.'
        )
    return wanted


def load_encoder(wanted: str, weights_dir: Path, runtime: Runtime) -> Encoder:
    """Raises ValueError, WeightsMissing, WeightsAltered or DeviceMissing."""
    return ENCODERS[resolve_name(wanted, weights_dir)].load(runtime, weights_dir)
