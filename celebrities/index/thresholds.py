"""From which distances on a curator is asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from celebrities.models import IndexBuild, Threshold


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distances between vectors, and for ``person`` a number from 0 to 100.

    ``odd``: a portrait farther from the person's nearest other portrait may be somebody else's.
    ``picture``: two portraits nearer than this may be one picture. ``person``: two people at
    least as alike as this may be one.

    The built-in ones hold for the embedded encoder. On the 339 shared portraits of 255 people (170
    of them saved again at quality 60, at half the size, and cropped by 5 % on each side):

        odd        right ones blamed   strangers found
        0.33       0.012               0.9999
        0.36       0.000               0.999
        0.40       0.000               0.994

        picture    saved again   half size   cropped   other pictures of the person
        0.05       0.97          1.00        0.83      0
        0.10       0.98          1.00        0.99      0
        0.15       1.00          1.00        0.99      0

    ``picture`` beside 24 of 256 differing bits of the difference hash.
    """

    odd: float = 0.36
    picture: float = 0.1
    person: float = 90.0


def thresholds() -> Thresholds:
    """Those set by hand, else those that the build in use has measured, else built-in ones."""
    build = IndexBuild.objects.defer("manifest").current()
    measured = (build.measured if build else {}).get("thresholds", {})
    by_hand = dict(Threshold.objects.values_list("name", "value"))
    names = {each.name for each in fields(Thresholds)}
    found = {**asdict(Thresholds()), **measured, **by_hand}
    return Thresholds(**{name: value for name, value in found.items() if name in names})
