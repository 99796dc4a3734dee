"""The format of the log: no line names a visitor's upload."""

from __future__ import annotations

import logging
import re

_ADDRESS = re.compile(r"/([us])/[^/\s]+")
"""URLs of uploads and shared links. Whoever knows a shared link can open it."""


class LineFormatter(logging.Formatter):
    """Removes upload ids and link tokens from messages and tracebacks. Django logs the URL of a
    request that fails."""

    def format(self, record: logging.LogRecord) -> str:
        return _ADDRESS.sub(r"/\1/...", super().format(record))
