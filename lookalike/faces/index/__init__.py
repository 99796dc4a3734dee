"""The index: rows to search, exactly or through Annoy, kept in a folder.

Import from here. Annoy itself is imported only where an index is built or opened.
"""

from __future__ import annotations

from lookalike.faces.index.annoy import AnnoyIndex, build_index, open_index
from lookalike.faces.index.exact import ExactIndex, open_added
from lookalike.faces.index.facts import BuildFacts
from lookalike.faces.index.folder import (
    FILES,
    MANIFEST,
    checksum,
    publish,
    read_facts,
    remove_others,
)
from lookalike.faces.index.protocol import (
    NO_IDS,
    Answer,
    Found,
    Ids,
    Index,
    IndexRows,
    Method,
    Progress,
    Query,
    unit_vectors,
)
from lookalike.faces.index.tuning import Tuning, choose, tune

__all__ = [
    "FILES",
    "MANIFEST",
    "NO_IDS",
    "AnnoyIndex",
    "Answer",
    "BuildFacts",
    "ExactIndex",
    "Found",
    "Ids",
    "Index",
    "IndexRows",
    "Method",
    "Progress",
    "Query",
    "Tuning",
    "build_index",
    "checksum",
    "choose",
    "open_added",
    "open_index",
    "publish",
    "read_facts",
    "remove_others",
    "tune",
    "unit_vectors",
]
