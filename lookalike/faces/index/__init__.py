"""An index of portraits: built beside, published by name, checked on opening, searched.

The parts are `index_rows` (what goes in), `clustering` and `index_codes` (how rows are laid
out), `index_build`, `index_manifest`, `index_files` (how the folder is published and checked),
`index_search` with `index_scan`, and `tuning`; this module is their front door. Annoy is
imported only where an index is built or opened.
"""

from __future__ import annotations

from lookalike.faces.index.build import build_index
from lookalike.faces.index.manifest import Manifest
from lookalike.faces.index.rows import IndexRows
from lookalike.faces.index.search import Index, open_index

__all__ = [
    "Index",
    "IndexRows",
    "Manifest",
    "build_index",
    "open_index",
]
