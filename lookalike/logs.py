"""How a line of the log is written: never with an address that names a visitor's upload."""

from __future__ import annotations

import logging
import re

_ADDRESS = re.compile(r"/([us])/[^/\s]+")
"""An upload's page, or a shared link, which opens for whoever knows it."""


class LineFormatter(logging.Formatter):
    """Leaves such names out, wherever in a message or traceback they stand: Django logs the
    address of what it refuses or fails at."""

    def format(self, record: logging.LogRecord) -> str:
        return _ADDRESS.sub(r"/\1/...", super().format(record))
