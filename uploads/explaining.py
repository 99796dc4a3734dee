"""The worker's answer to why a face and a look-alike are alike."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from lookalike.engine import get_engine
from lookalike.faces.parts import Explanation, explain
from lookalike.faces.types import EncoderId, Pixels
from uploads.models import Match
from uploads.questions import forget, is_asked, usual_parts
from uploads.storage import read_chips


def explain_match(match_id: int) -> None:
    """Measure and save the explanation, unless nobody waits for it any longer."""
    match = Match.objects.select_related("face__upload", "portrait").filter(pk=match_id).first()
    if match is None or not is_asked(match_id):
        return
    try:
        Match.objects.filter(pk=match_id).update(why=_explain(match))
    finally:
        forget(match_id)


def _explain(match: Match) -> dict[str, Any]:
    encoder = EncoderId.parse(match.face.upload.encoder)
    usual = usual_parts(encoder)
    if usual is None:
        return {}
    yours, theirs = map(_decode, read_chips(match.face, match.portrait))
    found = explain(get_engine(encoder).encoder, usual, yours, theirs)
    return _as_json(found) if found else {}


def _decode(chip: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(chip)).convert("RGB"))


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "spots": [[round(spot.x, 3), round(spot.y, 3), spot.strength] for spot in found.spots],
        "most": [str(part) for part in found.most],
        "least": str(found.least),
    }
