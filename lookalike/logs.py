"""The format of the log: no line names a visitor's upload."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered, given by the proxy or made here."""

FORMATS = {
    "text": "lookalike.logs.LineFormatter",
    "line": "lookalike.logs.OneLineFormatter",
    "json": "lookalike.logs.JsonFormatter",
}
"""For a person at a terminal; one event a line; one JSON object a line."""


def make_config(level: str, form: str) -> dict[str, Any]:
    """Logging's configuration, for all processes. ``form`` is one of FORMATS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "chosen": {
                "class": FORMATS[form],
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            }
        },
        "filters": {"short": {"()": "lookalike.logs.ShortOutages"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "chosen",
                "filters": ["short"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Missing pages are nothing an operator could fix, nor are clients that hang up, nor
            # scanners that ask for hosts that are not here.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "waitress": {"level": "ERROR"},
            # Two lines a task, which say less than ours.
            "celery": {"level": "WARNING"},
            "gunicorn.error": {"level": "ERROR", "handlers": ["stderr"], "propagate": False},
        },
    }


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
        return hide_addresses(super().format(record))


class OneLineFormatter(LineFormatter):
    """A traceback is in the event's own line, with \\n for its ends of lines."""

    def format(self, record: logging.LogRecord) -> str:
        request = REQUEST_ID.get()
        end = f" request={request}" if request else ""
        return super().format(record).replace("\n", "\\n") + end


class JsonFormatter(LineFormatter):
    """Keys: time, level, logger, message, and where there are any, traceback and request."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide_addresses(record.getMessage()),
        }
        if record.exc_info:
            event["traceback"] = hide_addresses(self.formatException(record.exc_info))
        if request := REQUEST_ID.get():
            event["request"] = request
        return json.dumps(event, ensure_ascii=False)


def hide_addresses(text: str) -> str:
    return re.sub(r"/([us])/[^/\s]+", r"/\1/...", text)
