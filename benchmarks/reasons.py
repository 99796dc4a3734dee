"""Why goals are missed, and what was tried: shown beside a goal only when it is.

A key is words that the goal's line in its table has.
"""

from __future__ import annotations

from typing import Final

PHOTO: Final = (
    "what is left is decoding and the networks' arithmetic, see the encoders below. "
    "Kept: decoding smaller, all sizes of the photo in one run of the first network, "
    "candidates cut out at once."
)

SITE: Final = {
    "photos a second": "the cores are busy all the time; what a photo costs them "
    "altogether stands above. A visitor asks for three pages a photo (form, sending, "
    "waiting), each a Django page of some milliseconds. Tried: fewer copies of the "
    "pixels (kept), a filter a third as slow for the kept copy (kept), ONNX Runtime's "
    "and Pillow's other ways to shrink (no faster).",
    "added to the engine": "the worker's profile above: a copy of bounded size is kept, as JPEG, "
    "with crop and chip of each face, and a short transaction is made for each step that the "
    "visitor sees.",
    "p95 at half rate": "the engine waits for the web process that takes the next "
    "photo, on the same cores.",
    "waiting visitors": "their questions are Django pages on the cores that work on "
    "the photos. Tried: only those whose photo is next ask often (kept), workers with a "
    "lower priority (kept).",
}

INDEX: Final = {
    "recall": "the width was tuned at build on mixtures of the gallery's own "
    "portraits, of which these queries are another sample.",
    "no slower than exact numpy": "numpy gives rows; a search gives people, each "
    "once, with their number, which takes a fraction of a millisecond.",
    "no slower than our exact scan": "both are timed at build, in another moment.",
    "added by a second process": "what a process holds for itself (its tables, the "
    "product of bytes) does not grow with the gallery, and this one is small.",
    "p95, ms": "nearly all is the scan, see the profile: the share of the rows that must be read "
    "for the recall, times their bytes. "
    "Tried: bytes instead of floats (kept), heads of 16 to 256 columns, cells from "
    "330 to 12,000 rows, Annoy over the rows themselves (slower than exact).",
    "build": "most of it is grouping the rows into cells.",
}

QUALITY: Final = {
    "above dlib's own pipeline": "where dlib's pipeline finds everybody, nobody can find more.",
}
