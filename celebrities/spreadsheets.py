"""CSV cells that spreadsheets do not run as formulas."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]", re.DOTALL)
_ESCAPED = re.compile(r"'+[=+\-@\t\r]", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)


def escape(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unescape(cell: str) -> str:
    """The opposite of `escape`."""
    return cell[1:] if _ESCAPED.match(cell) and not _NUMBER.fullmatch(cell) else cell
