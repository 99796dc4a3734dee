"""The format of the log: no line names a visitor's upload."""

from __future__ import annotations

import logging
import re


class ShortOutages(logging.Filter):
    """Takes the traceback from what is said of a service that is away: its name is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        from lookalike.outages import is_outage  # noqa: PLC0415 - logging begins before Django.

        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_outage(error):
            record.msg = f"{record.getMessage()}: {type(error).__name__}: {error}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


class LineFormatter(logging.Formatter):
    """Removes upload ids and link tokens from messages and tracebacks. Django logs the URL of a
    request that fails, and whoever knows a shared link can open it."""

    def format(self, record: logging.LogRecord) -> str:
        return re.sub(r"/([us])/[^/\s]+", r"/\1/...", super().format(record))
