"""Part "template": where the face lies in the chip, and what mirror images and more views bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.choices.portraits import list_firsts, load_engine
from benchmarks.choices.search import Seen, as_portraits, find_columns, look_at_guises, score
from benchmarks.choices.statistics import (
    FOLDS,
    Columns,
    Scores,
    find_ranks,
    measure_spread,
    resample_people,
    split_people,
)
from benchmarks.figures import Figures
from lookalike.faces.alignment import Points, align_face
from lookalike.faces.encoders.base import ChipEncoder
from lookalike.faces.encoders.chip_network import ChipNetwork
from lookalike.faces.encoders.dlib import (
    CENTRE,
    FIVE_POINTS,
    DlibEncoder,
    read_weights,
)
from lookalike.faces.encoders.dlib_network import DlibNetwork
from lookalike.faces.people import Portraits
from lookalike.faces.runtime import Array
from lookalike.faces.sitters import ZOOMS
from lookalike.faces.types import Pixels, Vectors

HARD = (
    "tilted 16 to 25",
    "darkened",
    "blurred",
    "noisy",
    "30 to 40 px",
    "half in shadow",
    "dark glasses",
    "hat",
)
"""Guises of the queries: as they are, the portraits are too alike to tell choices apart."""

Place = tuple[float, float]
"""Scale of dlib's points about the chip's centre, and pixels that they are moved down."""

IN_USE: Place = (1.05, 0.0)
PLACES: tuple[Place, ...] = (
    *((scale, 0.0) for scale in (0.95, 1.0, 1.05, 1.1, 1.15)),
    *((1.05, shift) for shift in (-3.0, 3.0)),
)


class OneSidedEncoder(ChipEncoder):
    """The embedded encoder without the mirror image."""

    name = "dlib-one-sided"
    version = DlibEncoder.version
    dimensions = DlibEncoder.dimensions
    chip_size = DlibEncoder.chip_size

    def __init__(self) -> None:
        network = ChipNetwork(DlibNetwork(read_weights())).eval()

        def run(*inputs: Array) -> list[Array]:
            with torch.no_grad():
                return [found.numpy() for found in network(*map(torch.from_numpy, inputs))]

        super().__init__(run)


Faces = Sequence[tuple[Pixels, Points]]


def bench_template() -> Figures:
    shown = [(one.pixels, one.landmarks) for one in list_firsts()]
    queries = list_hard()
    asked = [(one.photo.pixels, one.face.landmarks) for one in queries]
    people = [one.portrait.person for one in queries]
    by_place = {
        f"scale {place[0]:.2f}, shift {place[1]:+.0f}": score_place(shown, asked, place)
        for place in PLACES
    }
    in_use = by_place[f"scale {IN_USE[0]:.2f}, shift {IN_USE[1]:+.0f}"]
    return {
        "queries": len(people),
        "people": len(set(people)),
        "places": compare(by_place, in_use, people),
        "folds": choose_by_folds(by_place, in_use, people),
        "views": compare(score_views(shown, asked), in_use, people),
    }


def list_hard() -> list[Seen]:
    return [one for one in look_at_guises().seen if one.guise in HARD]


def cut_chips(faces: Faces, place: Place) -> list[Pixels]:
    scale, shift = place
    template = ((FIVE_POINTS - CENTRE) * scale + CENTRE + (0.0, shift)).astype(np.float32)
    return [align_face(*face, template, DlibEncoder.chip_size) for face in faces]


def encode(faces: Faces, place: Place) -> Vectors:
    return load_engine().encoder.encode(cut_chips(faces, place))


@lru_cache(maxsize=1)
def load_one_sided() -> OneSidedEncoder:
    return OneSidedEncoder()


def score_place(shown: Faces, asked: Faces, place: Place) -> Scores:
    return score(as_portraits(encode(shown, place)), encode(asked, place))


def score_views(shown: Faces, asked: Faces) -> dict[str, Scores]:
    """Without mirror images, and with portraits that are the mean of several places."""
    gallery, queries = as_portraits(encode(shown, IN_USE)), encode(asked, IN_USE)
    one_sided = load_one_sided().encode(cut_chips(asked, IN_USE))
    plain = as_portraits(load_one_sided().encode(cut_chips(shown, IN_USE)))
    scales = [(IN_USE[0] * zoom, 0.0) for zoom in ZOOMS]
    shifts = [(IN_USE[0], shift) for shift in (-3.0, 0.0, 3.0)]
    return {
        "no mirror image": score(plain, one_sided),
        "mirror image of portraits alone": score(gallery, one_sided),
        "portraits at three scales (in use)": score(join_views(shown, scales), queries),
        "portraits at three shifts": score(join_views(shown, shifts), queries),
        "portraits at three scales, no mirror image of photos": score(
            join_views(shown, scales), one_sided
        ),
    }


def join_views(faces: Faces, places: Sequence[Place]) -> Portraits:
    """As a gallery: the mean of several places, of unit length."""
    summed = np.sum([encode(faces, place) for place in places], axis=0)
    return as_portraits(summed / np.linalg.norm(summed, axis=1, keepdims=True))


def compare(found: Mapping[str, Scores], in_use: Scores, people: Sequence[str]) -> Figures:
    """Rank-1, rank-6, d', and by how much rank-1 differs from ``in_use``, with its interval."""
    right = find_columns(people)
    base = find_ranks(in_use, right) < 1
    return {name: measure(scores, right, people, base) for name, scores in found.items()}


def measure(
    scores: Scores, right: Columns, people: Sequence[str], base: NDArray[np.bool_]
) -> Figures:
    ranks = find_ranks(scores, right)
    gain = (ranks < 1).astype(np.float64) - base
    low, high = resample_people(gain, people)
    return {
        "rank-1": round(float(np.mean(ranks < 1)), 4),
        "rank-6": round(float(np.mean(ranks < 6)), 4),
        "d'": round(measure_spread(scores, right), 3),
        "gain": round(float(gain.mean()), 4),
        "95 %": f"{low:+.3f} to {high:+.3f}",
    }


def choose_by_folds(
    found: Mapping[str, Scores], in_use: Scores, people: Sequence[str]
) -> dict[int, Figures]:
    """The best by d' on four fifths of the people, and how it does on the others."""
    right, fold, answers = find_columns(people), split_people(people), {}
    for held in range(FOLDS):
        rest, out = fold != held, fold == held
        best = max(found, key=lambda name: measure_spread(found[name][rest], right[rest]))
        answers[held + 1] = {
            "chosen": best,
            "its rank-1 on the fifth": rank_first(found[best][out], right[out]),
            "rank-1 of the one in use": rank_first(in_use[out], right[out]),
        }
    return answers


def rank_first(scores: Scores, right: Columns) -> float:
    return round(float(np.mean(find_ranks(scores, right) < 1)), 4)
