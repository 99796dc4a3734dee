"""Part "faces": which faces say little, and whose portrait a photo of several faces is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.choices.guises import GUISES, HIDING, blur, draw
from benchmarks.choices.portraits import (
    Portrait,
    as_photo,
    find,
    list_firsts,
    list_seconds,
    load_engine,
)
from benchmarks.choices.search import ENCODER, look_at_guises, rank_vectors
from benchmarks.figures import Figures
from benchmarks.timing import amount
from lookalike.faces import sitters
from lookalike.faces.calibration import built_in_scale
from lookalike.faces.patches import log_odds
from lookalike.faces.sharpness import measure_sharpness
from lookalike.faces.sitters import choose_face
from lookalike.faces.types import Face, Pixels, Vectors

AGREEMENTS = (0.975, 0.98, 0.985, 0.99)
ODDS = (3.0, 4.0, 5.0)
WIDTHS = (0.3, 0.5, 0.7, 0.9)
"""Of the face beside, as shares of the main one's."""
RATIOS = (1.0, 1.2, 1.35, 1.5, 2.0)
LIMITS = (0.15, 0.2, 0.22, 0.25, 0.3)
BLURS = (0.04, 0.06, 0.08, 0.1, 0.15)
GROUPS = amount(60, quick=15)
"""Photos of two faces for each of WIDTHS."""


def bench_faces() -> Figures:
    groups = make_groups()
    return {
        "weak": measure_rules(),
        "sharpness": measure_sharpness_limits(),
        "several": {f"{ratio:.2f} times as wide": count_choices(groups, ratio) for ratio in RATIOS},
        "with others": count_agreeing(groups),
    }


def measure_rules() -> dict[str, Figures]:
    """Faces called weak, of good ones and of each kind of hidden ones."""
    found = look_at_guises()
    guises = np.array([one.guise for one in found.seen])
    odds = np.array([log_odds(one.face.confidence) for one in found.seen])
    good = np.isin(guises, [*GUISES])
    right = rank_vectors(found.vectors, [one.portrait.person for one in found.seen]) < 1
    rules = {}
    for least, least_odds in product(AGREEMENTS, ODDS):
        weak = (found.agreement < least) | (odds < least_odds)
        rules[f"{least}, {least_odds}"] = {
            "good": weak[good].mean(),
            **{guise: weak[guises == guise].mean() for guise in HIDING},
            "rank-1 of weak": right[weak].mean(),
            "rank-1 of others": right[~weak].mean(),
        }
    return {
        rule: {name: round(float(value), 3) for name, value in row.items()}
        for rule, row in rules.items()
    }


def measure_sharpness_limits() -> dict[str, Figures]:
    """The share of faces that are less sharp than each limit: of good ones, and by blur."""
    good = [one for one in look_at_guises().seen if one.guise in GUISES and one.guise != "blurred"]
    kinds = {
        "good": [one.chip for one in good],
        **{f"blur {radius}": list_chips(radius) for radius in BLURS},
    }
    sharpness = {
        kind: np.array([measure_sharpness(chip) for chip in chips]) for kind, chips in kinds.items()
    }
    return {
        str(limit): {kind: share_of(found < limit) for kind, found in sharpness.items()}
        for limit in LIMITS
    }


def list_chips(radius: float) -> list[Pixels]:
    """Every other second portrait blurred by so much of the length from eyes to mouth."""
    engine, chips = load_engine(), list[Pixels]()
    for portrait in list_seconds()[::2]:
        pixels = draw(portrait, blur(radius, radius), str(radius))
        photo, faces = find(engine, as_photo(pixels))
        chips += [engine.encoder.align(photo.pixels, face) for face in faces[:1]]
    return chips


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The faces found in a photo of two people, which of them is the ``main`` one, the photo's
    width, and how wide the other was made. ``others`` is the main person's other portrait."""

    faces: list[Face]
    main: Face
    width: int
    share: float
    others: Vectors


def make_groups() -> list[Group]:
    """The second portraits of people, each with somebody else beside."""
    engine, rng, groups = load_engine(), np.random.default_rng(0), []
    firsts = {portrait.person: portrait for portrait in list_firsts()}
    for share, number in product(WIDTHS, range(GROUPS)):
        seconds = list_seconds()
        main = seconds[number % len(seconds)]
        beside = next(
            portrait
            for portrait in rng.permutation(np.array(list_firsts(), object))
            if portrait.person != main.person
        )
        pixels, place = put_beside(main, beside, share, rng)
        photo, found = find(engine, as_photo(pixels))
        faces = engine.encode_faces(photo, found) if len(found) > 1 else []
        mine = [
            face for face in faces if np.hypot(*(face.landmarks.mean(0) - place)) < main.width / 3
        ]
        if len(mine) == 1 and len(faces) > 1:
            others = firsts[main.person].vector[None]
            groups.append(Group(faces, mine[0], pixels.shape[1], share, others))
    return groups


def put_beside(
    main: Portrait, other: Portrait, share: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """``main`` about the middle of a wall twice as wide, ``other`` at an edge, partly hidden.
    Returns the picture and the middle of ``main``'s face."""
    height, width = main.pixels.shape[:2]
    wall = Image.new("RGB", (2 * width, height), (120, 118, 112))
    factor = share * main.width / other.width
    size = (
        max(round(other.pixels.shape[1] * factor), 1),
        max(round(other.pixels.shape[0] * factor), 1),
    )
    edge = int(rng.choice([0, 2 * width - size[0]]))
    wall.paste(
        Image.fromarray(other.pixels).resize(size), (edge, int(rng.integers(0, height // 3)))
    )
    left = width // 2 + int(rng.normal(0, width / 12))
    wall.paste(Image.fromarray(main.pixels), (left, 0))
    return np.asarray(wall), main.landmarks.mean(axis=0) + np.array([left, 0])


def count_choices(groups: Sequence[Group], ratio: float) -> Figures:
    """By the width of the face beside: how many are decided rightly, and wrongly, without
    another portrait of the person."""
    scale = built_in_scale(ENCODER)
    row = {}
    with patch.object(sitters, "CLEARLY_LARGER", ratio):
        for share in WIDTHS:
            mine = [group for group in groups if group.share == share]
            chosen = [choose_face(group.faces, group.width, None, scale) for group in mine]
            row[f"{share}: right"] = share_of(
                [one is group.main for one, group in zip(chosen, mine, strict=True)]
            )
            row[f"{share}: wrong"] = share_of(
                [one not in (None, group.main) for one, group in zip(chosen, mine, strict=True)]
            )
    return row


def count_agreeing(groups: Sequence[Group]) -> dict[str, Figures]:
    """The same with another portrait of the person, whose similarity decides first."""
    scale, found = built_in_scale(ENCODER), {}
    for share in WIDTHS:
        mine = [group for group in groups if group.share == share]
        chosen = [choose_face(group.faces, group.width, group.others, scale) for group in mine]
        found[f"{share} times as wide"] = {
            "photos": len(mine),
            "right": share_of([one is group.main for one, group in zip(chosen, mine, strict=True)]),
            "wrong": share_of(
                [one not in (None, group.main) for one, group in zip(chosen, mine, strict=True)]
            ),
        }
    return found


def share_of(values: Sequence[bool] | NDArray[np.bool_]) -> float:
    return round(float(np.mean(values)), 3)
