"""The format of the log: no line names a visitor's upload."""

from __future__ import annotations

import logging
import re


class LineFormatter(logging.Formatter):
    """Removes upload ids and link tokens from messages and tracebacks. Django logs the URL of a
    request that fails, and whoever knows a shared link can open it."""

    def format(self, record: logging.LogRecord) -> str:
        return re.sub(r"/([us])/[^/\s]+", r"/\1/...", super().format(record))
