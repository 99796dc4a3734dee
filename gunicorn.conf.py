"""How gunicorn serves the site: two processes of eight threads, which suits htmx's polling."""

from __future__ import annotations

import os
import sys
from typing import Any

_host = os.environ.get("LOOKALIKE_HOST") or "127.0.0.1"
_port = os.environ.get("LOOKALIKE_PORT") or "8000"

bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
worker_class = "gthread"
workers = 2
threads = 8
preload_app = True
timeout = 60
graceful_timeout = 3
keepalive = 5
# Its warnings name the address of whoever sends what is no request.
loglevel = "error"


def when_ready(server: Any) -> None:
    sys.stderr.write(f"Lookalike is at http://{bind}/\n")
