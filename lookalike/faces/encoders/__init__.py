"""The two encoders behind one protocol, and the choice between them.

Importing this package loads no network: torch is needed only to export one, and ONNX
Runtime only to run it.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.faces.encoders.dlib import DlibEncoder
from lookalike.faces.encoders.facenet import FacenetEncoder
from lookalike.faces.types import Encoder
from lookalike.faces.weights import FACENET

__all__ = ["CHOICES", "DlibEncoder", "FacenetEncoder", "choose_encoder", "resolve_name"]

CHOICES = ("auto", "facenet", "dlib")


def resolve_name(wanted: str, weights_dir: Path) -> str:
    """ "facenet" or "dlib": "auto" takes facenet when its weights are there.

    Raises ValueError for a name that is not one of CHOICES.
    """
    if wanted not in CHOICES:
        raise ValueError(f'"{wanted}" is not an encoder. Choose one of {", ".join(CHOICES)}.')
    if wanted != "auto":
        return wanted
    return "facenet" if (weights_dir / FACENET.file_name).is_file() else "dlib"


def choose_encoder(
    wanted: str, weights_dir: Path, cache_dir: Path, *, threads: int = 1, device: str = "cpu"
) -> Encoder:
    """The encoder that ``wanted`` names, loaded.

    Raises ValueError, WeightsMissing, WeightsAltered or DeviceMissing.
    """
    if resolve_name(wanted, weights_dir) == "dlib":
        return DlibEncoder(cache_dir, threads=threads, device=device)
    path = weights_dir / FACENET.file_name
    return FacenetEncoder(path, cache_dir, threads=threads, device=device)
